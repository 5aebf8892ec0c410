/** What a setting of the server is: what it means, what it may be, and how its value is read from text or JSON. */

/** One row of the table of settings. */
export interface Setting<Value> {
  /** One sentence. */
  readonly description: string;
  readonly default: Value;
  /** What it may be, with its unit: `seconds, 1-3600`. */
  readonly range: string;
  /** `switch`: a flag without a value. `list`: a flag that may be given several times; commas part the items in a text. */
  readonly kind: "text" | "number" | "switch" | "list";
  /** @throws Error whose message completes "must be" */
  readonly fromText: (text: string) => Value;
  /** @throws Error whose message completes "must be" */
  readonly fromValue: (value: unknown) => Value;
}

interface About<Value> {
  readonly description: string;
  readonly default: Value;
}

interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Of what: `seconds`, `bytes`. */
  readonly unit?: string;
  /** Default false: whole numbers only. */
  readonly fractions?: boolean;
}

/** A number within bounds. */
export function numberSetting(
  about: About<number>,
  { min, max, unit, fractions = false }: NumberRange,
): Setting<number> {
  const range = `${unit === undefined ? "" : `${unit}, `}${min}-${max}`;
  const fromValue = (value: unknown): number => {
    const isGood =
      typeof value === "number" &&
      value >= min &&
      value <= max &&
      (fractions || Number.isInteger(value));
    if (!isGood) throw new Error(`${fractions ? "a number" : "a whole number"} of ${range}`);
    return value;
  };
  const written = fractions ? /^\d+(\.\d+)?$/ : /^\d+$/;
  const fromText = (text: string) => fromValue(written.test(text) ? Number(text) : text);
  return { ...about, kind: "number", range, fromText, fromValue };
}

/** Text that is not empty. @param what completes "must be": `a path` @param isGood of text that is not empty; default: any */
export function textSetting<Default extends string | undefined>(
  about: About<Default>,
  what: string,
  isGood: (text: string) => boolean = () => true,
): Setting<string | Default> {
  const fromValue = (value: unknown): string => {
    if (typeof value !== "string" || value.trim() === "" || !isGood(value)) throw new Error(what);
    return value;
  };
  return { ...about, kind: "text", range: what, fromText: fromValue, fromValue };
}

/** One of several words. */
export function choiceSetting<const Word extends string>(
  about: About<NoInfer<Word>>,
  words: readonly Word[],
): Setting<Word> {
  const fromValue = (value: unknown): Word => {
    const word = words.find((one) => one === value);
    if (word === undefined) throw new Error(`one of ${words.join(", ")}`);
    return word;
  };
  return { ...about, kind: "text", range: words.join(", "), fromText: fromValue, fromValue };
}

/** Off unless it is turned on. */
export function switchSetting(description: string): Setting<boolean> {
  const about = { description, default: false };
  const fromText = (text: string) => truth(switchWords[text]);
  return { ...about, kind: "switch", range: "true, false", fromText, fromValue: truth };
}

const switchWords: Readonly<Record<string, boolean>> = { true: true, false: false };

function truth(value: unknown): boolean {
  if (typeof value !== "boolean") throw new Error("true or false");
  return value;
}

/** Several texts. @param what completes "must be": `origins such as https://example.org` */
export function listSetting(
  about: About<readonly string[]>,
  what: string,
  isItem: (text: string) => boolean,
): Setting<readonly string[]> {
  const fromValue = (value: unknown): readonly string[] => {
    const isGood =
      Array.isArray(value) && value.every((item) => typeof item === "string" && isItem(item));
    if (!isGood) throw new Error(what);
    return value as readonly string[];
  };
  const fromText = (text: string) => fromValue(text.split(",").map((item) => item.trim()));
  return { ...about, kind: "list", range: what, fromText, fromValue };
}
