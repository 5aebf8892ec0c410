/** Reads the path and the query of a request: texts become values of the declared types, and nothing is guessed. */
import { nearest, StoreError, type Issue } from "@sennit/core";
import { Type, type TObject } from "typebox";
import { Compile } from "typebox/compile";

/** A part of a request whose members come as text. */
export type PartName = "path" | "query";

/** The shape of a part that has no members. */
export const noMembers: TObject = Type.Object({});

export type PartReader = (
  given: Readonly<Record<string, string | readonly string[]>>,
) => Readonly<Record<string, unknown>>;

/** The keywords of a member's schema that say how its text is read. */
interface MemberSchema {
  readonly type?: string;
  readonly items?: MemberSchema;
  readonly default?: unknown;
}

interface PartSchema {
  readonly properties: Readonly<Record<string, MemberSchema>>;
  readonly patternProperties?: Readonly<Record<string, MemberSchema>>;
}

/**
 * Makes the reader of a part with a shape. It throws `request-invalid` naming every member that is not known, is given
 * twice or is not of its type.
 */
export function partReader(part: PartName, shape: TObject): PartReader {
  const { properties, patternProperties = {} } = shape as unknown as PartSchema;
  const patterns = Object.entries(patternProperties).map(
    ([pattern, schema]) => [new RegExp(pattern, "u"), schema] as const,
  );
  const schemaOf = (name: string): MemberSchema | undefined =>
    Object.hasOwn(properties, name)
      ? properties[name]
      : patterns.find(([pattern]) => pattern.test(name))?.[1];
  const defaults = Object.entries(properties).filter(([, schema]) => schema.default !== undefined);
  const validator = Compile(shape);
  const ofNothing: Readonly<Record<string, unknown>> = Object.fromEntries(
    defaults.map(([name, schema]) => [name, schema.default]),
  );
  const needsNothing = validator.Check(ofNothing);
  return (given) => {
    if (needsNothing && isEmpty(given)) return ofNothing;
    const issues: Issue[] = [];
    const values: [string, unknown][] = [];
    for (const [name, texts] of Object.entries(given)) {
      const schema = schemaOf(name);
      if (schema === undefined) issues.push(unknownMember(name, Object.keys(properties)));
      else values.push([name, readMember(schema, texts, `/${name}`, issues)]);
    }
    const value: Record<string, unknown> = Object.fromEntries(values);
    for (const [name, schema] of defaults) value[name] ??= schema.default;
    if (issues.length === 0 && !validator.Check(value)) {
      for (const { instancePath, message, keyword, params } of validator.Errors(value)) {
        const missing = keyword === "required" ? params.requiredProperties : [];
        for (const name of missing) issues.push({ pointer: `/${name}`, message: "is missing" });
        if (missing.length === 0) issues.push({ pointer: instancePath, message });
      }
    }
    if (issues.length > 0) throw partError(part, issues);
    return value;
  };
}

function isEmpty(given: object): boolean {
  for (const _name in given) return false;
  return true;
}

function unknownMember(name: string, known: readonly string[]): Issue {
  const near = nearest(name, known);
  const suggestion = near === undefined ? "" : ` (did you mean "${near}"?)`;
  return { pointer: `/${name}`, message: `is not a known parameter${suggestion}` };
}

function readMember(
  schema: MemberSchema,
  given: string | readonly string[],
  pointer: string,
  issues: Issue[],
): unknown {
  const texts = typeof given === "string" ? [given] : given;
  if (schema.type === "array") {
    return texts.map((text) => readText(schema.items ?? {}, text, pointer, issues));
  }
  const [text = "", ...others] = texts;
  if (others.length > 0) issues.push({ pointer, message: "is given more than once" });
  return readText(schema, text, pointer, issues);
}

function readText({ type }: MemberSchema, text: string, pointer: string, issues: Issue[]): unknown {
  if (type === "integer") {
    if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    issues.push({ pointer, message: "must be a whole number" });
  }
  if (type === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    issues.push({ pointer, message: "must be true or false" });
  }
  return text;
}

function partError(part: PartName, issues: readonly Issue[]): StoreError {
  const [{ pointer, message }] = issues as readonly [Issue, ...Issue[]];
  const place = pointer === "" ? `The ${part}` : `In the ${part}, ${pointer.slice(1)}`;
  return new StoreError("request-invalid", `${place} ${message}.`, { details: { part, issues } });
}
