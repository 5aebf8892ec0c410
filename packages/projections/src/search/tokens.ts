/** Cuts the text of a query into parentheses, signs and terms. */
import { nearest } from "@sennit/core";

import { fieldNames, isSearchField, type Operator } from "./fields.ts";
import { queryError, type Place } from "./query-error.ts";
import type { SearchField } from "./search-query.ts";

/** A run of characters of a value: a star in a quoted one is a star. */
export interface TextPart extends Place {
  readonly text: string;
  readonly isQuoted: boolean;
}

export type Token =
  | (Place & { readonly type: "(" | ")" | "-" | "and" | "or" | "not" | "end" })
  | (Place & { readonly type: "word"; readonly parts: readonly TextPart[] })
  | FieldToken;

export interface FieldToken extends Place {
  readonly type: "field";
  readonly field: SearchField;
  readonly path: readonly string[];
  /** Undefined when the term asks only whether the field is there. */
  readonly operator: (Place & { readonly text: Operator }) | undefined;
  readonly parts: readonly TextPart[];
  /** Where the value stands. */
  readonly value: Place;
}

const keyword = /^(?:and|or|not)$/i;
const operatorAt = /!=|<=|>=|[:=<>]/y;

/** The tokens of a query, the last one of type `end`. @throws `query-invalid` */
export function tokensOf(query: string): Token[] {
  return new Tokenizer(query).tokens();
}

class Tokenizer {
  readonly #query: string;
  #at = 0;

  constructor(query: string) {
    this.#query = query;
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      while (/\s/u.test(this.#peek())) this.#at += 1;
      const at = this.#at;
      const next = this.#peek();
      if (next === "") return [...tokens, { type: "end", at, length: 0 }];
      if (next === "(" || next === ")" || next === "-") {
        this.#at += 1;
        tokens.push({ type: next, at, length: 1 });
      } else {
        tokens.push(this.#term());
      }
    }
  }

  #peek(): string {
    return this.#query[this.#at] ?? "";
  }

  #term(): Token {
    const at = this.#at;
    const head = this.#parts(true);
    const operator = this.#operator();
    const place = () => ({ at, length: this.#at - at });
    const [first] = head;
    const name = first?.isQuoted === false ? (first.text.split(".", 1)[0] ?? "") : "";
    const hasPath = (name === "tag" || name === "attr") && first?.text[name.length] === ".";
    if (operator === undefined) {
      if (hasPath) return this.#field(name, head, undefined, [], place());
      this.#refuseGlued(at);
      if (head.length === 1 && first?.isQuoted === false && keyword.test(first.text)) {
        return { type: first.text.toLowerCase() as "and" | "or" | "not", ...place() };
      }
      return { type: "word", parts: head, ...place() };
    }
    const isName =
      hasPath || (head.length === 1 && first?.isQuoted === false && name === first.text);
    if (!isName || !isSearchField(name)) throw this.#unknownField(head, at);
    const parts = this.#parts(false);
    return this.#field(name, head, operator, parts, place());
  }

  #field(
    name: SearchField,
    head: readonly TextPart[],
    operator: FieldToken["operator"],
    parts: readonly TextPart[],
    place: Place,
  ): FieldToken {
    this.#refuseGlued(place.at);
    const end = operator === undefined ? this.#at : operator.at + operator.length;
    const value = { at: end, length: this.#at - end };
    const path = this.#path(name, head);
    return { type: "field", field: name, path, operator, parts, value, ...place };
  }

  /** A tag's key may hold dots; an attribute's path is cut at those outside quotes. */
  #path(name: SearchField, head: readonly TextPart[]): string[] {
    if (name !== "tag" && name !== "attr") {
      return [];
    }
    const [first, ...others] = head;
    if (first === undefined || first.text === name) throw this.#noPath(name, first);
    const parts = [{ ...first, text: first.text.slice(name.length + 1) }, ...others];
    const steps = name === "tag" ? [parts.map(({ text }) => text).join("")] : this.#steps(parts);
    if (steps.some((step) => step === undefined || step === "") && !isQuotedEmpty(head)) {
      throw this.#noPath(name, first);
    }
    return steps.map((step) => step ?? "");
  }

  #steps(parts: readonly TextPart[]): (string | undefined)[] {
    const steps: (string | undefined)[] = [undefined];
    for (const { text, isQuoted } of parts) {
      const pieces = isQuoted ? [text] : text.split(".");
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) steps.push(undefined);
        if (piece !== "" || isQuoted) steps.push((steps.pop() ?? "") + piece);
      }
    }
    return steps;
  }

  #operator(): FieldToken["operator"] {
    operatorAt.lastIndex = this.#at;
    const text = operatorAt.exec(this.#query)?.[0];
    if (text === undefined) return undefined;
    const at = this.#at;
    this.#at += text.length;
    return { text: text as Operator, at, length: text.length };
  }

  /** Quoted and bare runs up to white space or a parenthesis, and in a term's head up to an operator. */
  #parts(isHead: boolean): TextPart[] {
    const parts: TextPart[] = [];
    const bare = isHead ? /(?:[^\s()":=<>!]|!(?!=))+/uy : /[^\s()"]+/uy;
    for (;;) {
      bare.lastIndex = this.#at;
      const text = bare.exec(this.#query)?.[0];
      if (text !== undefined) {
        parts.push({ text, isQuoted: false, at: this.#at, length: text.length });
        this.#at += text.length;
      } else if (this.#peek() === '"') {
        parts.push(this.#quoted());
      } else {
        return parts;
      }
    }
  }

  #quoted(): TextPart {
    const at = this.#at;
    const match = /"((?:[^"\\]|\\[^])*)"/y;
    match.lastIndex = at;
    const [whole, inner = ""] = match.exec(this.#query) ?? [];
    if (whole === undefined) {
      throw queryError(
        this.#query,
        { at, length: this.#query.length - at },
        { problem: "a quote is not closed", expected: 'a closing "' },
      );
    }
    this.#at += whole.length;
    const text = inner.replaceAll(/\\(["\\])/g, "$1");
    return { text, isQuoted: true, at, length: whole.length };
  }

  /** `name:f(x)` would be read as a name and a group: what is meant has to be said. */
  #refuseGlued(at: number): void {
    if (this.#peek() !== "(") return;
    throw queryError(
      this.#query,
      { at, length: this.#at + 1 - at },
      {
        problem: "a parenthesis follows a term directly",
        expected:
          "a space between them, or double quotes around a value that holds the parenthesis",
      },
    );
  }

  #noPath(name: string, first: TextPart | undefined): Error {
    const key = name === "tag" ? "the key of a tag" : "the path of an attribute";
    return queryError(
      this.#query,
      { at: first?.at ?? this.#at, length: first?.length ?? 0 },
      { problem: `${name}. lacks ${key}`, expected: `${name}.${name === "tag" ? "KEY" : "PATH"}` },
    );
  }

  #unknownField(head: readonly TextPart[], at: number): Error {
    const text = this.#query.slice(
      at,
      head.reduce((end, part) => part.at + part.length, at),
    );
    const near = text === "tag" || text === "attr" ? `${text}.` : nearest(text, fieldNames);
    return queryError(
      this.#query,
      { at, length: Math.max(1, text.length) },
      {
        problem: text === "" ? "a field is missing" : `${JSON.stringify(text)} is no field`,
        expected: `a field: ${fieldNames.join(", ")}`,
        hint:
          near === undefined
            ? `Fields are ${fieldNames.join(", ")}; a word that holds one of :=<> stands in double quotes.`
            : `Did you mean ${near}? A word that holds one of :=<> stands in double quotes.`,
      },
    );
  }
}

/** Only quotes can say that a key is empty. */
function isQuotedEmpty(head: readonly TextPart[]): boolean {
  return head.some(({ isQuoted, text }) => isQuoted && text === "");
}
