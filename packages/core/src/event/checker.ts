/** Collects the problems of one untrusted value, each with a JSON pointer (RFC 6901). */
import type { Issue } from "../errors.ts";
import { limits } from "../limits.ts";
import { isPlainObject } from "./json.ts";

/** Escapes one member name for use in a JSON pointer. */
export function pointerSegment(key: string | number): string {
  const name = String(key);
  if (!name.includes("~") && !name.includes("/")) return name;
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Characters of a pointer or message that are kept: what is refused may be megabytes long. */
const issueTextMax = 300;

function clip(text: string): string {
  return text.length <= issueTextMax ? text : `${text.slice(0, issueTextMax).toWellFormed()}…`;
}

/** What a text may be besides a short line. */
interface TextOptions {
  readonly empty?: boolean;
  /** Tabs and line ends are allowed. */
  readonly lines?: boolean;
}

const shortText: TextOptions = {};

/** Checks values and remembers what is wrong where. Every check returns true when the value is fine. */
export class Checker {
  readonly issues: Issue[] = [];
  /** Problems found, also those past the ones remembered. */
  count = 0;

  fail(pointer: string, message: string): false {
    this.count += 1;
    if (this.issues.length < limits.issuesMax) {
      this.issues.push({ pointer: clip(pointer), message: clip(message) });
    }
    return false;
  }

  object(value: unknown, pointer: string): value is Readonly<Record<string, unknown>> {
    return isPlainObject(value) || this.fail(pointer, `must be an object, not ${describe(value)}`);
  }

  /** Refuses members that are not in the list, with the nearest known name where there is one. */
  members(
    value: Readonly<Record<string, unknown>>,
    known: ReadonlySet<string>,
    pointer: string,
  ): void {
    for (const key in value) {
      if (known.has(key)) continue;
      const near = nearest(key, known);
      const suggestion = near === undefined ? "" : ` (did you mean "${near}"?)`;
      this.fail(`${pointer}/${pointerSegment(key)}`, `is not a known field${suggestion}`);
    }
  }

  /**
   * Text of at most `bytesMax` bytes of UTF-8, well formed, not empty and without control characters unless allowed.
   *
   * Where it stands is named in two parts, put together when something is wrong: an event has many texts.
   */
  text(
    value: unknown,
    at: string,
    key: string | number,
    bytesMax: number,
    options: TextOptions = shortText,
  ): value is string {
    const problem = textProblem(value, bytesMax, options);
    return problem === undefined || this.fail(`${at}/${pointerSegment(key)}`, problem);
  }

  integer(value: unknown, pointer: string, min: number, max: number): value is number {
    if (typeof value !== "number")
      return this.fail(pointer, `must be a number, not ${describe(value)}`);
    if (!Number.isInteger(value) || value < min || value > max) {
      return this.fail(pointer, `must be a whole number from ${min} to ${max}`);
    }
    return true;
  }

  boolean(value: unknown, pointer: string): value is boolean {
    return (
      typeof value === "boolean" ||
      this.fail(pointer, `must be true or false, not ${describe(value)}`)
    );
  }

  array(value: unknown, pointer: string, itemsMax: number): value is readonly unknown[] {
    if (!Array.isArray(value))
      return this.fail(pointer, `must be an array, not ${describe(value)}`);
    if (value.length > itemsMax) return this.fail(pointer, `must hold at most ${itemsMax} items`);
    // Array methods pass over holes, so the checks of the items would not see them.
    return !value.includes(undefined) || this.fail(pointer, "must not have missing items");
  }

  /** Any JSON value that survives storage unchanged. */
  json(value: unknown, pointer: string, depth = 0): boolean {
    switch (typeof value) {
      case "string":
        return (
          wellFormed(value) ||
          this.fail(pointer, "must be well-formed Unicode (it holds half of a surrogate pair)")
        );
      case "number":
        return Number.isFinite(value) || this.fail(pointer, "must be a finite number");
      case "boolean":
        return true;
      case "object":
        return value === null || this.#container(value, pointer, depth);
      default:
        return this.fail(pointer, `must be a JSON value, not ${describe(value)}`);
    }
  }

  #container(value: object, pointer: string, depth: number): boolean {
    if (depth >= limits.attributesDepthMax) {
      return this.fail(pointer, `must be nested at most ${limits.attributesDepthMax} levels deep`);
    }
    if (Array.isArray(value)) {
      // findIndex visits holes, which every and some pass over.
      return (
        value.findIndex((item, index) => !this.json(item, `${pointer}/${index}`, depth + 1)) < 0
      );
    }
    if (!isPlainObject(value))
      return this.fail(pointer, `must be a JSON value, not ${describe(value)}`);
    for (const key of Object.keys(value)) {
      const at = `${pointer}/${pointerSegment(key)}`;
      // A decoder that builds plain objects would lose or misuse this member, so it never gets in.
      if (key === "__proto__") return this.fail(at, 'must not be named "__proto__"');
      if (!wellFormed(key)) return this.fail(at, "must have a well-formed Unicode name");
      if (!this.json(value[key], at, depth + 1)) return false;
    }
    return true;
  }
}

// eslint-disable-next-line no-control-regex -- control characters are what these patterns are about
const controls = /[\u0000-\u001f\u007f-\u009f]/u;
// eslint-disable-next-line no-control-regex -- as above; tab, line feed and carriage return are allowed
const controlsButLines = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;

function textProblem(
  value: unknown,
  bytesMax: number,
  { empty, lines }: TextOptions,
): string | undefined {
  if (typeof value !== "string") return `must be text, not ${describe(value)}`;
  if (value.length === 0) return empty === true ? undefined : "must not be empty";
  if (!wellFormed(value)) return "must be well-formed Unicode (it holds half of a surrogate pair)";
  if (value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax) {
    return `must be at most ${bytesMax} bytes of UTF-8`;
  }
  if ((lines === true ? controlsButLines : controls).test(value)) {
    return "must not hold control characters";
  }
  return undefined;
}

function wellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** Names a value's type for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object")
    return isPlainObject(value) ? "an object" : `a ${value.constructor.name}`;
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}

/** The known word within two edits of the given one, for suggestions. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Of a word of one or two letters another is no misspelling.
  let bestDistance = Math.min(3, word.length);
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
