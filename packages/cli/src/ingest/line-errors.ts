/** What is kept of refused lines: the first ones, each in a few hundred characters. */
import { isStoreError, type StoreError } from "@sennit/core";

/** One line that was refused. */
export interface LineError {
  readonly line: number;
  readonly code: string;
  readonly message: string;
  readonly pointer: string;
  readonly hint: string;
}

const errorsMax = 1000;
const textMax = 300;

/** The refusals of the first 1000 lines refused, in constant memory. */
export class LineErrors {
  #kept: LineError[] = [];
  #lastLine = 0;

  add(line: number, error: StoreError): void {
    // Refusals of one batch come in any order, so that a line may still belong among the first.
    if (this.#kept.length >= errorsMax && line > this.#lastLine) return;
    this.#kept.push(describe(line, error));
    this.#lastLine = Math.max(this.#lastLine, line);
    if (this.#kept.length < 2 * errorsMax) return;
    this.#kept = this.list();
    this.#lastLine = this.#kept.at(-1)?.line ?? 0;
  }

  /** In the order of the lines. */
  list(): LineError[] {
    return this.#kept.toSorted((a, b) => a.line - b.line).slice(0, errorsMax);
  }
}

function describe(line: number, error: StoreError): LineError {
  const { index } = error.details;
  const inBatch = typeof index === "number";
  // A place in the batch says nothing to somebody who has lines.
  const { code, message, hint, details } =
    inBatch && isStoreError(error.cause) ? error.cause : error;
  const pointer = pointerOf(details);
  const lead = `/${String(index)}`;
  const isLed = inBatch && (pointer === lead || pointer.startsWith(`${lead}/`));
  return {
    line,
    code,
    message: clip(message),
    pointer: clip(isLed ? pointer.slice(lead.length) : pointer),
    hint: clip(hint),
  };
}

/** At most `textMax` characters, in memory of their own: a part of a text would keep the whole text alive. */
function clip(text: string): string {
  const short = text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text;
  return Buffer.from(short).toString();
}

function pointerOf(details: Readonly<Record<string, unknown>>): string {
  const { pointer, issues } = details;
  if (typeof pointer === "string") return pointer;
  const [first] = Array.isArray(issues) ? (issues as { readonly pointer: string }[]) : [];
  return first?.pointer ?? "";
}
