/** How answers look: JSON for programs, aligned tables, colour and relative times for people. */
import { stripVTControlCharacters, styleText } from "node:util";

import type { Io } from "./io.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta";

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly align?: "left" | "right";
  /** Gives way when the terminal is too narrow for the table. */
  readonly flexible?: boolean;
}

/** What a flexible column keeps, in cells of the terminal. */
const flexibleWidthMin = 8;

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

  /** Prints one JSON object whose last member is a list, as its items come; laid out as `json` does. */
  async jsonList(head: object, member: string, items: AsyncIterable<unknown>): Promise<void> {
    const indent = this.#io.isColorful ? 2 : undefined;
    const [line, inner] = indent === undefined ? ["", ""] : ["\n  ", "\n    "];
    const opened = JSON.stringify({ ...head, [member]: [] }, undefined, indent);
    this.#io.stdout(opened.slice(0, opened.lastIndexOf("[") + 1));
    let isEmpty = true;
    for await (const item of items) {
      const text = JSON.stringify(item, undefined, indent).replaceAll("\n", inner);
      this.#io.stdout(`${isEmpty ? "" : ","}${inner}${text}`);
      isEmpty = false;
    }
    this.#io.stdout(`${isEmpty ? "" : line}]${indent === undefined ? "" : "\n"}}\n`);
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

  /** Aligned columns. On a terminal that is too narrow the flexible ones are cut, and then the line. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const widths = this.#widths(columns, rows);
    const print = (cells: readonly string[]) => {
      const padded = cells.map((cell, index) => {
        const size = widths[index] ?? 0;
        const fitting = columns[index]?.flexible === true ? cut(cell, size) : cell;
        return pad(fitting, size, columns[index]?.align);
      });
      const line = padded.join("  ").trimEnd();
      this.line(this.#io.columns === undefined ? line : cut(line, this.#io.columns));
    };
    print(columns.map(({ title }) => this.style("dim", title)));
    for (const row of rows) print(row);
  }

  /** One row of a table that has no end, cells padded to given widths. */
  row(cells: readonly string[], widths: readonly number[]): string {
    return cells
      .map((cell, index) => pad(cell, widths[index] ?? 0, "left"))
      .join("  ")
      .trimEnd();
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

  #widths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
    const widths = columns.map(({ title }, index) =>
      rows.reduce((widest, row) => Math.max(widest, width(row[index] ?? "")), width(title)),
    );
    const gaps = 2 * (columns.length - 1);
    let over = widths.reduce((sum, size) => sum + size, gaps) - (this.#io.columns ?? Infinity);
    for (; over > 0; over -= 1) {
      const sizes = widths.map((size, index) => (columns[index]?.flexible === true ? size : 0));
      const widest = Math.max(...sizes);
      if (widest <= flexibleWidthMin) break;
      widths[sizes.indexOf(widest)] = widest - 1;
    }
    return widths;
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

/** Words as a shell takes them. */
export function commandLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}

/** Text of a stored value that is safe on a terminal: control characters are shown, not sent. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

const zeroWidth = /^\p{M}$/u;
const doubleWidth =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])$/u;

/** Cells of the terminal that a text takes. */
function width(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[ -~]*$/.test(plain)) return plain.length;
  let cells = 0;
  for (const character of plain) cells += characterWidth(character);
  return cells;
}

function characterWidth(character: string): number {
  if (zeroWidth.test(character)) return 0;
  return doubleWidth.test(character) ? 2 : 1;
}

function pad(text: string, size: number, align: Column["align"]): string {
  const space = " ".repeat(Math.max(0, size - width(text)));
  return align === "right" ? space + text : text + space;
}

/** The text in at most so many cells, with an ellipsis for what is missing. Its styles end as they did. */
function cut(text: string, size: number): string {
  if (width(text) <= size) return text;
  let kept = "";
  let left = size - 1;
  // eslint-disable-next-line no-control-regex -- a style is an escape sequence
  for (const [piece] of text.matchAll(/\u001b\[[\d;]*m|./gsu)) {
    if (piece.length > 2) {
      kept += piece;
      continue;
    }
    if (left < 0) continue;
    const cells = characterWidth(piece);
    kept += cells <= left ? piece : "…";
    left = cells <= left ? left - cells : -1;
  }
  return kept;
}
