/** Shapes of JSON as Markdown tables describe them, and the check of a value against one. */
import { isPlainObject } from "@sennit/core";

import { codeIn, sectionsOf, tablesOf } from "./markdown.ts";

interface Member {
  readonly name: string;
  readonly type: string;
  /** Marked with a `?` behind its name: it may be absent. */
  readonly isOptional: boolean;
}

const primitives: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  JSON: (value) => value !== undefined,
  object: isPlainObject,
  time: (value) => matches(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
  UUID: (value) => matches(value, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  digest: (value) => matches(value, /^[0-9a-f]{64}$/),
};

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

/** The shapes of one page. Each table with the columns Member and Type is a shape, called by its section's title. */
export class Shapes {
  readonly #shapes = new Map<string, readonly Member[]>();
  readonly #seen = new Set<string>();

  constructor(markdown: string) {
    for (const { title, text } of sectionsOf(markdown)) {
      for (const { columns, rows } of tablesOf(text)) {
        if (columns[0] !== "Member" || columns[1] !== "Type") continue;
        this.#shapes.set(
          title,
          rows.map((row) => ({
            name: codeIn(row["Member"] ?? ""),
            type: row["Type"] ?? "",
            isOptional: (row["Member"] ?? "").endsWith("?"),
          })),
        );
      }
    }
  }

  /** Says where a value is not of a shape; nothing when it is. */
  problems(value: unknown, shape: string, at = ""): string[] {
    const members = this.#shapes.get(shape);
    if (members === undefined) return [`${at} there is no shape "${shape}"`];
    if (!isPlainObject(value)) return [`${at} is no object, so no ${shape}`];
    const names = new Set(members.map(({ name }) => name));
    const surplus = Object.keys(value).filter((name) => !names.has(name));
    const problems = surplus.map((name) => `${at}/${name} is not a member of ${shape}`);
    for (const { name, type, isOptional } of members) {
      if (Object.hasOwn(value, name)) {
        this.#seen.add(`${shape}.${name}`);
        problems.push(...this.#typeProblems(value[name], type, `${at}/${name}`));
      } else if (!isOptional) {
        problems.push(`${at}/${name} is missing from ${shape}`);
      }
    }
    return problems;
  }

  /** Members that no value checked so far has had, as `shape.member`. */
  unseen(): string[] {
    const all = [...this.#shapes].flatMap(([shape, members]) =>
      members.map(({ name }) => `${shape}.${name}`),
    );
    return all.filter((name) => !this.#seen.has(name));
  }

  #typeProblems(value: unknown, type: string, at: string): string[] {
    const results = type.split(" or ").map((one) => this.#oneTypeProblems(value, one, at));
    // Of several types one must fit; the problems of the nearest one say most.
    return results.reduce((best, next) => (next.length < best.length ? next : best));
  }

  #oneTypeProblems(value: unknown, type: string, at: string): string[] {
    const list = /^list of (.*)$/.exec(type)?.[1];
    if (list !== undefined) {
      if (!Array.isArray(value)) return [`${at} is no list`];
      return value.flatMap((item, index) => this.#oneTypeProblems(item, list, `${at}/${index}`));
    }
    const link = /^\[(.*)\]\(#.*\)$/.exec(type)?.[1];
    if (link !== undefined) return this.problems(value, link, at);
    const literal = /^`"(.*)"`$/.exec(type)?.[1];
    if (literal !== undefined) return value === literal ? [] : [`${at} is not ${type}`];
    const primitive = primitives[type];
    if (primitive === undefined) return [`${at}: there is no type "${type}"`];
    return primitive(value) ? [] : [`${at} is not of type ${type}`];
  }
}
