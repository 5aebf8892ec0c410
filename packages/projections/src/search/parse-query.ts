/** Reads a query as a person writes it: `kind:model tag.loss<0.1 (a OR b) -tag.draft`. */
import { limits } from "@sennit/core";

import { queryError } from "./query-error.ts";
import { allOf, anyOf, contradiction, negated, wordTest, type SearchNode } from "./search-query.ts";
import { termNode } from "./term.ts";
import { tokensOf, type Token } from "./tokens.ts";
import { piecesOf } from "./literal.ts";

/**
 * Reads a query. A text without a term asks for every record.
 *
 * @throws `query-invalid`, pointing at the place
 */
export function parseQuery(text: string): SearchNode {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.queryBytesMax) {
    throw queryError(
      text,
      { at: 0, length: 1 },
      {
        problem: `${bytes} bytes are too many`,
        expected: `at most ${limits.queryBytesMax} bytes`,
      },
    );
  }
  if (!text.isWellFormed()) {
    throw queryError(
      text,
      { at: text.search(/\p{Cs}/u), length: 1 },
      { problem: "half of a surrogate pair is no character", expected: "well-formed Unicode" },
    );
  }
  const tokens = tokensOf(text);
  return tokens.length === 1 ? allOf([]) : new QueryParser(text, tokens).parse();
}

/** Goes down once for each open parenthesis, and refuses more of them than `limits` allow. */
class QueryParser {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  /** Where each condition stands, also once its parentheses are gone. */
  readonly #places = new Map<SearchNode, Token>();
  #index = 0;

  constructor(query: string, tokens: readonly Token[]) {
    this.#query = query;
    this.#tokens = tokens;
  }

  parse(): SearchNode {
    const node = this.#alternatives(0);
    const token = this.#peek();
    if (token.type === "end") return node;
    throw this.#error(token, "a parenthesis is closed that was not opened", "a term or the end");
  }

  #peek(): Token {
    const token = this.#tokens[this.#index] ?? this.#tokens.at(-1);
    if (token === undefined) throw new TypeError("A query ends in a token of type end.");
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#index += 1;
    return token;
  }

  #alternatives(depth: number): SearchNode {
    const parts = [this.#conjunction(depth)];
    while (this.#peek().type === "or") {
      this.#next();
      parts.push(this.#conjunction(depth));
    }
    return anyOf(parts);
  }

  #conjunction(depth: number): SearchNode {
    const parts = [this.#factor(depth)];
    for (;;) {
      const { type } = this.#peek();
      if (type === "or" || type === ")" || type === "end") {
        const node = allOf(parts);
        this.#refuseContradiction(node);
        return node;
      }
      if (type === "and") this.#next();
      parts.push(this.#factor(depth));
    }
  }

  #refuseContradiction(node: SearchNode): void {
    const [, second] = contradiction(node.type === "and" ? node.parts : []) ?? [];
    const place = second && this.#places.get(second);
    if (second === undefined || place === undefined) return;
    const field = [second.field, ...second.path].join(".");
    throw this.#error(
      place,
      `two values are asked for ${field}, and a record has one`,
      "one of them, or or between them",
    );
  }

  #factor(depth: number): SearchNode {
    let isNegated = false;
    for (;;) {
      const token = this.#next();
      if (token.type === "not" || token.type === "-") {
        isNegated = !isNegated;
        const after = this.#peek();
        if (token.type === "-" && after.at > token.at + 1) {
          throw this.#error(token, "nothing stands behind the minus", "a term right behind it");
        }
      } else {
        const part = this.#atom(token, depth);
        return isNegated ? negated(part) : part;
      }
    }
  }

  #atom(token: Token, depth: number): SearchNode {
    switch (token.type) {
      case "word":
        return wordTest(piecesOf(token.parts));
      case "field": {
        const node = termNode(this.#query, token);
        this.#places.set(node, token);
        return node;
      }
      case "(":
        return this.#group(token, depth);
      case ")":
        throw this.#error(token, "a term is missing before the parenthesis", "a term");
      case "end":
        throw this.#error(token, "a term is missing at the end", "a term");
      default:
        throw this.#error(
          token,
          `a term is missing before ${token.type}`,
          `a term, or "${token.type}" in double quotes for the word`,
        );
    }
  }

  #group(open: Token, depth: number): SearchNode {
    if (depth >= limits.queryDepthMax) {
      throw this.#error(
        open,
        "parentheses are nested too deep",
        `at most ${limits.queryDepthMax} inside each other`,
      );
    }
    if (this.#peek().type === "end") {
      throw this.#error(open, "a parenthesis is not closed", 'a term and a closing ")"');
    }
    const node = this.#alternatives(depth + 1);
    if (this.#next().type !== ")") {
      throw this.#error(open, "a parenthesis is not closed", 'a closing ")"');
    }
    return node;
  }

  #error({ at, length }: Token, problem: string, expected: string): Error {
    return queryError(this.#query, { at, length: Math.max(1, length) }, { problem, expected });
  }
}
