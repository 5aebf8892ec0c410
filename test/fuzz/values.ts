/** Values for what a schema describes: such as fit it, such as nearly do, and such as nobody means well with. */
import { oddIds } from "../doors/rich-store.ts";
import type { Random } from "./random.ts";

/** A JSON Schema as far as values are made from it. */
export interface ValueSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly ValueSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: ValueSchema | boolean;
}

/** Texts that are often right: ids, refs, instants, labels, queries and names of what a store has. */
const texts: readonly string[] = [
  ...oddIds,
  ...[
    "ds",
    "m",
    "m@1",
    "cal",
    "ds@2",
    "model/bragg nn",
    "twin/same",
    "secret",
    "label:..",
    "nowhere",
  ],
  ...["0", "7", "2026-03-03T12:00:00Z", "grün/50%", ".."],
  ...["kind:odd", "tag.loss<0.2", "status:stale", "(a or b) -c", "recorded>=2026-01-01", "from:ds"],
  ...["records", "lineage", "timeline", "ndjson", "msgpack", "day", "kind"],
];

const hostile: readonly string[] = [
  ...[
    "",
    " ",
    "\0",
    "\n",
    "\r\nx: y",
    "%",
    "%zz",
    "%00",
    "../../etc/passwd",
    "..\\..",
    "//",
    "?",
    "#",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "-1",
    "-0",
    "1.5",
    "1e3",
    "0x10",
    "NaN",
  ],
  ...[
    "Infinity",
    "9007199254740993",
    "99999999999999999999",
    "4294967296",
    "00",
    "+1",
    "true",
    "null",
  ],
  ...[
    "[]",
    "{}",
    '"',
    "'",
    "`",
    "a,b",
    ";",
    "kind:",
    "((((",
    "tag.a..b",
    "position>",
    "\u{1f9ea}",
    "\u202e",
  ],
  ...[
    "2026-13-45",
    "2026-02-30T25:61:61Z",
    "9999-12-31T23:59:59Z",
    "a@0",
    "a@99999999999",
    "@1",
    "/",
    "x/",
  ],
  ...["a".repeat(513), "é".repeat(300), "(".repeat(100), "x".repeat(5000)],
];

export function anyText(random: Random): string {
  return random.pick(random.chance(60) ? texts : hostile);
}

/** Follows references. */
export type Resolve = (schema: ValueSchema) => ValueSchema;

/** The texts of a parameter, most of which fit its schema. */
export function parameterTexts(random: Random, schema: ValueSchema, resolve: Resolve): string[] {
  if (random.chance(12)) return [anyText(random)];
  const value = valueFor(random, resolve(schema), resolve, 0);
  const items = Array.isArray(value) ? value : [value];
  const given = items.map((item) =>
    typeof item === "object" ? JSON.stringify(item) : String(item),
  );
  return random.chance(3) ? [...given, ...given] : given;
}

/** A body, most of whose members fit the schema. */
export function bodyValue(random: Random, schema: ValueSchema, resolve: Resolve): unknown {
  return valueFor(random, schema, resolve, 0);
}

function valueFor(random: Random, given: ValueSchema, resolve: Resolve, depth: number): unknown {
  const schema = resolve(given);
  if (random.chance(depth === 0 ? 3 : 5)) return oddValue(random, depth);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  if (schema.anyOf !== undefined)
    return valueFor(random, random.pick(schema.anyOf), resolve, depth);
  switch (schema.type) {
    case "integer":
    case "number":
      return numberFor(random, schema);
    case "boolean":
      return random.chance(50);
    case "null":
      return null;
    case "array":
      return Array.from({ length: depth > 4 ? 0 : random.upTo(3) }, () =>
        valueFor(random, schema.items ?? {}, resolve, depth + 1),
      );
    case "object":
      return objectFor(random, schema, resolve, depth);
    case "string":
      return random.chance(85) ? random.pick(texts) : anyText(random);
    default:
      return oddValue(random, depth);
  }
}

function numberFor(random: Random, { minimum = 0, maximum = 60 }: ValueSchema): number {
  const near = [minimum, minimum + 1, minimum - 1, maximum, maximum + 1, 1.5, -1, 2 ** 53];
  return random.chance(85)
    ? minimum + random.upTo(Math.min(maximum, minimum + 60) - minimum)
    : random.pick(near);
}

function objectFor(random: Random, schema: ValueSchema, resolve: Resolve, depth: number): unknown {
  const { properties = {}, required = [] } = schema;
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(properties)) {
    const isGiven = required.includes(name) ? !random.chance(4) : random.chance(50);
    if (isGiven && depth < 6) members.push([name, valueFor(random, member, resolve, depth + 1)]);
  }
  if (random.chance(5)) members.push([anyText(random), oddValue(random, depth)]);
  return Object.fromEntries(members);
}

function oddValue(random: Random, depth: number): unknown {
  const simple = [null, true, 0, -1, 1.5, 1e300, "", [], {}, [[]], { "": null }, anyText(random)];
  if (depth > 3 || random.chance(80)) return random.pick(simple);
  return { [anyText(random)]: oddValue(random, depth + 1), list: [oddValue(random, depth + 1)] };
}

/** Events, most of which a store can take. */
export function eventValue(random: Random): unknown {
  const recordId = random.chance(40) ? `new-${random.upTo(400)}` : random.pick(texts);
  const sources = Array.from({ length: random.upTo(2) }, () => ({
    recordId: random.pick(texts),
    ...(random.chance(30) && { version: random.upTo(3) }),
  }));
  const document = {
    kind: "odd",
    name: anyText(random),
    derivedFrom: sources,
    tags: { loss: random.next() },
  };
  const data = random.pick<unknown>([
    document,
    { patch: { tags: { [anyText(random)]: anyText(random) } } },
    { patch: { attributes: oddValue(random, 0) }, reason: anyText(random) },
    { document, restores: random.upTo(3) },
    { cause: anyText(random), versions: { from: random.upTo(3) } },
    oddValue(random, 0),
  ]);
  return {
    type: random.pick([
      "record.created",
      "record.created",
      "record.updated",
      "record.invalidated",
      "record.x",
    ]),
    recordId,
    data,
    ...(random.chance(10) && {
      expectedVersion: random.pick(["none", "exists", "any", 1, -1, "x"]),
    }),
    ...(random.chance(10) && {
      id: random.pick(["", "x", "00000000-0000-4000-8000-000000000001"]),
    }),
    ...(random.chance(20) && { unknownSources: "placeholder" }),
    ...(random.chance(5) && { [anyText(random)]: oddValue(random, 0) }),
  };
}
