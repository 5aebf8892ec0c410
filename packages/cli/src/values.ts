/** The values of one command line, checked for their form as they are asked for. */
import { isPlainObject, StoreError, type TagValue, readJson, type JsonReading } from "@sennit/core";

/** Flags and arguments as given. */
export class Values {
  readonly #flags: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];

  constructor(
    flags: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
    positionals: readonly string[],
  ) {
    this.#flags = flags;
    this.positionals = positionals;
  }

  /** A positional argument that the command's declaration makes sure is there. */
  argument(index: number): string {
    const value = this.positionals[index];
    if (value === undefined) throw new StoreError("usage", "An argument is missing.");
    return value;
  }

  /** True for a flag that was given, whatever its type. */
  has(name: string): boolean {
    return this.#flags[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.#flags[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#flags[name];
    return typeof value === "string" ? value : undefined;
  }

  /** @throws `usage` when the flag is missing */
  required(name: string, hint: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") {
      throw new StoreError("usage", `--${name} is required.`, {
        hint,
        details: { flag: `--${name}` },
      });
    }
    return value;
  }

  texts(name: string): string[] {
    const value = this.#flags[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  /** @throws `argument-invalid` naming the flag */
  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : parseInteger(value, `--${name}`, min, max);
  }

  /**
   * `--tag k=v` flags as tags. A value that reads as a JSON number or boolean is one, unless a number could not hold
   * all of its digits; quotes make it text.
   */
  tags(name: string): Record<string, TagValue> {
    return Object.fromEntries(this.pairs(name).map(([key, value]) => [key, parseTagValue(value)]));
  }

  /**
   * `--tag k=v` flags as conditions: numbers are compared as numbers, and quotes make a text as they do in `tags`.
   *
   * @throws `argument-invalid`, also for one key with two values
   */
  tagConditions(name: string): Map<string, string | { readonly text: string }> {
    const conditions = new Map<string, string | { readonly text: string }>();
    const given = new Map<string, string>();
    for (const [key, value] of this.pairs(name)) {
      if ((given.get(key) ?? value) !== value) {
        throw new StoreError(
          "argument-invalid",
          `--${name} asks for two values of ${JSON.stringify(key)}.`,
          {
            hint: "A record has one value there: ask for one.",
            details: { flag: `--${name}`, value },
          },
        );
      }
      given.set(key, value);
      const text = unquote(value);
      conditions.set(key, text === value ? value : { text });
    }
    return conditions;
  }

  /** `K=V` flags, split at the first equals sign. @throws `argument-invalid` */
  pairs(name: string): [key: string, value: string][] {
    return this.texts(name).map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw badFlag(`--${name}`, pair, "must have the form KEY=VALUE");
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
  }

  /** @throws `argument-invalid` for text that is no JSON object, or whose value would not be what it says */
  jsonObject(name: string): Readonly<Record<string, unknown>> | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parseJson(text, `--${name}`);
    if (!isPlainObject(value)) throw badFlag(`--${name}`, text, "must be a JSON object");
    return value;
  }
}

/** @throws `argument-invalid` naming the argument */
export function parseInteger(text: string, what: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  throw badFlag(what, text, `must be a whole number ${range}`);
}

/**
 * The JSON value of a text, or undefined when it is none.
 *
 * @throws `argument-invalid` naming the flag, for an integer with too many digits or a member that is there twice
 */
export function parseJson(text: string, flag: string): unknown {
  const { value, loss } = tryReadJson(text);
  if (loss === undefined) return value;
  const { pointer, message } = loss;
  throw new StoreError("argument-invalid", `In ${flag}, ${pointer || "the value"} ${message}.`, {
    details: { flag, pointer },
  });
}

function tryReadJson(text: string): Partial<JsonReading> {
  try {
    return readJson(text);
  } catch {
    return {};
  }
}

/** A number as JSON has it: `007` is none, because its zeros mean something. */
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function holdsDigits(text: string): boolean {
  const value = Number(text);
  const digits = text
    .replace(/[eE].*$/, "")
    .replaceAll(/[^\d]/g, "")
    .replace(/^0+/, "");
  return Number.isFinite(value) && (digits.length <= 15 || Number.isSafeInteger(value));
}

function parseTagValue(text: string): TagValue {
  if (text === "true" || text === "false") return text === "true";
  if (numberPattern.test(text) && holdsDigits(text)) return Number(text);
  return unquote(text);
}

/** The text in a JSON string; what is none is the text itself. */
function unquote(text: string): string {
  const { value } = /^".*"$/s.test(text) ? tryReadJson(text) : {};
  return typeof value === "string" ? value : text;
}

function badFlag(what: string, value: string, problem: string): StoreError {
  return new StoreError(
    "argument-invalid",
    `${what} ${problem}, and ${JSON.stringify(value)} is not.`,
    {
      details: { flag: what, value },
    },
  );
}
