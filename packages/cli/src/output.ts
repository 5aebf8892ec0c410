/** How answers look: JSON for programs, aligned tables, colour and relative times for people. */
import { stripVTControlCharacters, styleText } from "node:util";

import type { Io } from "./io.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta";

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly align?: "left" | "right";
}

export class Output {
  readonly isJson: boolean;
  readonly #io: Io;

  constructor(io: Io, isJson: boolean) {
    this.#io = io;
    this.isJson = isJson;
  }

  /** Prints one JSON value, indented on a terminal and in one line elsewhere. */
  json(value: unknown): void {
    this.#io.stdout(`${JSON.stringify(value, undefined, this.#io.isColorful ? 2 : undefined)}\n`);
  }

  line(text = ""): void {
    this.#io.stdout(`${text}\n`);
  }

  /** Says something about the data, on stderr. */
  note(text: string): void {
    this.#io.stderr(`${text}\n`);
  }

  style(style: Style, text: string): string {
    return this.#io.isColorful ? styleText(style, text, { validateStream: false }) : text;
  }

  status(status: "valid" | "invalid", stale = false): string {
    if (status === "invalid") return this.style("red", "invalid");
    return stale ? this.style("yellow", "stale") : this.style("green", "valid");
  }

  /** Aligned columns; the last one is cut to the terminal's width. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const widths = columns.map((column, index) =>
      Math.max(width(column.title), ...rows.map((row) => width(row[index] ?? ""))),
    );
    const print = (cells: readonly string[]) => {
      const padded = cells.map((cell, index) =>
        pad(cell, widths[index] ?? 0, columns[index]?.align),
      );
      this.line(this.#fit(padded.join("  ").trimEnd()));
    };
    print(columns.map(({ title }) => this.style("dim", title)));
    for (const row of rows) print(row);
  }

  /** Pairs of a name and a value, the names aligned. Pairs without a value are left out. */
  fields(pairs: readonly (readonly [name: string, value: string | undefined])[]): void {
    const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
    const nameWidth = Math.max(...shown.map(([name]) => name.length));
    for (const [name, value] of shown) {
      this.line(`${this.style("dim", name.padEnd(nameWidth))}  ${value}`);
    }
  }

  /** `2026-03-02 10:00:00Z (8 months ago)`. */
  time(rfc3339: string): string {
    return `${shortTime(rfc3339)} ${this.style("dim", `(${this.ago(rfc3339)})`)}`;
  }

  /** How long ago, in the largest unit that fits. */
  ago(rfc3339: string): string {
    const seconds = Math.round(this.#io.clock.nowUs() / 1e6 - Date.parse(rfc3339) / 1000);
    const units: readonly [string, number][] = [
      ["year", 31_557_600],
      ["month", 2_629_800],
      ["day", 86_400],
      ["hour", 3600],
      ["minute", 60],
    ];
    for (const [unit, size] of units) {
      const count = Math.floor(Math.abs(seconds) / size);
      if (count >= 1)
        return seconds < 0 ? `in ${plural(count, unit)}` : `${plural(count, unit)} ago`;
    }
    return Math.abs(seconds) < 5
      ? "just now"
      : `${plural(Math.abs(seconds), "second")} ${seconds < 0 ? "ahead" : "ago"}`;
  }

  /** Shows how far long work has come, in one line of stderr, on a terminal only. */
  progress(text: string): void {
    if (this.#io.isInteractive) this.#io.stderr(`\r\u001b[K${text}`);
  }

  progressDone(): void {
    if (this.#io.isInteractive) this.#io.stderr("\r\u001b[K");
  }

  #fit(line: string): string {
    const { columns } = this.#io;
    if (columns === undefined || width(line) <= columns || line !== stripVTControlCharacters(line))
      return line;
    return `${line.slice(0, columns - 1)}…`;
  }
}

/** RFC 3339 without the fraction: `2026-03-02 10:00:00Z`. */
export function shortTime(rfc3339: string): string {
  return `${rfc3339.slice(0, 19).replace("T", " ")}Z`;
}

/** `1 record`, `2 records`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Text of a stored value that is safe on a terminal: control characters are shown, not sent. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

function pad(text: string, size: number, align: Column["align"]): string {
  const space = " ".repeat(Math.max(0, size - width(text)));
  return align === "right" ? space + text : text + space;
}
