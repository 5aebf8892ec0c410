/** Tells what becomes of lines that are stored, as soon as it is known. */
import type { IngestSummary, LineResult } from "@sennit/core";

import { plural, printable, type Output } from "./output.ts";

/** Of more refusals than these, people are told the number. */
const refusalsShown = 20;
/** The characters of a line that is shown to people. */
const messageMax = 200;

export class LineReport {
  readonly #out: Output;
  readonly #isEach: boolean;
  readonly #hints = new Set<string>();
  #shown = 0;
  /** Lines known of. */
  settled = 0;

  /** @param isEach whether every line is told of, and not only those that were refused */
  constructor(out: Output, isEach: boolean) {
    this.#out = out;
    this.#isEach = isEach;
  }

  add(results: readonly LineResult[]): void {
    this.settled = results.at(-1)?.line ?? this.settled;
    for (const result of results) {
      if (this.#out.isJson) {
        if (this.#isEach) this.#out.line(JSON.stringify(result));
      } else this.#tell(result);
    }
  }

  /** Says how it ended. */
  end({ errors, ...summary }: IngestSummary, isAtomic: boolean): void {
    const out = this.#out;
    if (out.isJson) {
      if (this.#isEach) out.line(JSON.stringify({ summary }));
      else out.json({ ...summary, errors });
      return;
    }
    const { stored, duplicates, refused, head } = summary;
    const others = refused - this.#shown;
    if (others > 0 && isAtomic)
      out.note(`and ${plural(others, "other")} ${others === 1 ? "was" : "were"} not stored`);
    else if (others > 0)
      out.note(`and ${plural(others, "more line")} refused; --results tells of every one`);
    out.line(`stored ${stored}, duplicates ${duplicates}, refused ${refused}, head at ${head}`);
  }

  #tell(result: LineResult): void {
    const out = this.#out;
    if (result.status !== "refused") {
      if (!this.#isEach) return;
      const { line, status, recordId, version, position } = result;
      out.line(`line ${line}: ${status} ${printable(recordId)}@${version} at position ${position}`);
      return;
    }
    if (!this.#isEach && this.#shown >= refusalsShown) return;
    this.#shown += 1;
    const { line, code, message, hint } = result;
    out.progressDone();
    out.note(`line ${line}: ${code}: ${printable(clip(message))}`);
    if (this.#hints.has(hint)) return;
    this.#hints.add(hint);
    out.note(`hint: ${printable(hint)}`);
  }
}

function clip(text: string): string {
  return text.length > messageMax ? `${text.slice(0, messageMax - 1)}…` : text;
}
