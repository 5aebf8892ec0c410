/** Reads JSON text, and tells what its value would not hold: digits of large integers, members named twice. */

/** A place in a JSON text whose value is not what the text says. */
interface JsonLoss {
  /** RFC 6901. */
  readonly pointer: string;
  readonly message: string;
}

export interface JsonReading {
  readonly value: unknown;
  /** The first of them; undefined when the value holds everything. */
  readonly loss: JsonLoss | undefined;
}

/** Characters of a text up to which nothing it may hold takes much memory. */
const harmlessLength = 64 * 1024;
const containersMax = 1_000_000;

/**
 * Parses a text in linear time.
 *
 * @throws SyntaxError for text that is no JSON, and for one with more than a million objects and arrays
 */
export function readJson(text: string): JsonReading {
  if (text.length > harmlessLength) checkContainers(text);
  const value: unknown = JSON.parse(text);
  // Most texts cannot lose anything, and these two questions are far cheaper than a scan.
  const isSuspect = /\d{16}/.test(text) || countColons(text) !== countMembers(value);
  return { value, loss: isSuspect ? new Scan(text).firstLoss() : undefined };
}

/** A bracket is a byte of text and a hundred bytes of memory, so they are counted before there is a value. */
function checkContainers(text: string): void {
  let containers = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) isInString = !isInString;
    else if (isInString) {
      if (code === backslash) at += 1;
    } else if (code === openBrace || code === openBracket) {
      containers += 1;
      if (containers > containersMax)
        throw new SyntaxError(`More than ${containersMax} objects and arrays`);
    }
  }
}

/** At least the members in the text: a colon in a string may look like the one after a name. */
function countColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) {
    let before = at - 1;
    while (isSpace(text.charCodeAt(before))) before -= 1;
    if (text.charCodeAt(before) === quote) count += 1;
  }
  return count;
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  const open: object[] = [value];
  for (let inner = open.pop(); inner !== undefined; inner = open.pop()) {
    const values: readonly unknown[] = Array.isArray(inner) ? inner : Object.values(inner);
    if (values !== inner) count += values.length;
    for (const item of values) if (typeof item === "object" && item !== null) open.push(item);
  }
  return count;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const openBracket = 0x5b;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** An object or a list that has begun. */
interface Frame {
  /** The names so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  /** Where in it the scan is. */
  place: string | number;
  expectsName: boolean;
}

/** One pass over a text that is known to be JSON. */
class Scan {
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  firstLoss(): JsonLoss | undefined {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const problem = this.#step();
      if (problem !== undefined) return { pointer: this.#pointer(), message: problem };
    }
    return undefined;
  }

  /** Takes one token and says what is wrong with it; `#at` is left on its last character. */
  #step(): string | undefined {
    const top = this.#frames.at(-1);
    switch (this.#text[this.#at]) {
      case "{":
        this.#frames.push({ names: new Set(), place: "", expectsName: true });
        return undefined;
      case "[":
        this.#frames.push({ names: undefined, place: 0, expectsName: false });
        return undefined;
      case "}":
      case "]":
        this.#frames.pop();
        return undefined;
      case ",":
        if (typeof top?.place === "number") top.place += 1;
        else if (top !== undefined) top.expectsName = true;
        return undefined;
      case '"':
        return this.#string(top);
      default:
        return this.#number();
    }
  }

  #string(top: Frame | undefined): string | undefined {
    const start = this.#at;
    const end = this.#closingQuote(start);
    this.#at = end;
    if (top?.names === undefined || !top.expectsName) return undefined;
    const name = JSON.parse(this.#text.slice(start, end + 1)) as string;
    top.place = name;
    top.expectsName = false;
    if (top.names.has(name)) return "is there twice";
    top.names.add(name);
    return undefined;
  }

  #closingQuote(start: number): number {
    for (let end = this.#text.indexOf('"', start + 1); ; end = this.#text.indexOf('"', end + 1)) {
      let slashes = 0;
      while (this.#text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1;
      if (slashes % 2 === 0) return end;
    }
  }

  #number(): string | undefined {
    numberPattern.lastIndex = this.#at;
    const token = numberPattern.exec(this.#text)?.[0];
    if (token === undefined) return undefined;
    this.#at += token.length - 1;
    if (!/^-?\d{16,}$/.test(token) || holdsInteger(token)) return undefined;
    const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token;
    return `is ${shown}, an integer with more digits than a number holds; write it as text`;
  }

  #pointer(): string {
    return this.#frames
      .map(({ place }) => `/${String(place).replaceAll("~", "~0").replaceAll("/", "~1")}`)
      .join("");
  }
}

const numberPattern = /-?\d[\d.eE+-]*/y;

function holdsInteger(token: string): boolean {
  const value = Number(token);
  // The largest finite number has 309 digits, so that the exact comparison is a short one.
  return Number.isFinite(value) && BigInt(value) === BigInt(token);
}
