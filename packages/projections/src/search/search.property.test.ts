/** What a search finds as of every position, against a predicate that was made together with the query's text. */
import {
  created,
  invalidated,
  openMemoryStore,
  parseTimestamp,
  replaced,
  updated,
  type EmbeddedStore,
  type JsonValue,
  type NewDocument,
  type NewEvent,
  type RecordView,
  type TagValue,
} from "@sennit/core";
import { FakeClock, propertySettings } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { openViews, type Views } from "../views.ts";
import { formatQuery } from "./format-query.ts";
import { parseQuery } from "./parse-query.ts";

const ids = ["a", "b", "ab", "c-1", "c-2"] as const;
const kinds = ["model", "mode", "data set"] as const;
const names = ["bragg", "braggNN", "peak nn", "Or", ""] as const;
const tagValues: readonly TagValue[] = [
  0.1,
  0.5,
  2,
  -1,
  "0.10",
  "prod",
  "production",
  "",
  true,
  false,
];
const attributeValues: readonly JsonValue[] = [1, "1", null, [1, 2], { x: 1 }, true];
const days = ["2026-03-01", "2026-03-02", "2026-03-03"] as const;

/** A condition as text, and what it means, worked out from the record alone. */
interface Asked {
  readonly text: string;
  readonly fits: (record: RecordView) => boolean;
}

const anyContent: fc.Arbitrary<Omit<NewDocument, "kind">> = fc.record({
  name: fc.constantFrom(...names).map((name) => name || "n"),
  tags: fc.dictionary(fc.constantFrom("loss", "st age", "x.y"), fc.constantFrom(...tagValues)),
  attributes: fc.dictionary(fc.constantFrom("p", "q.r"), fc.constantFrom(...attributeValues)),
  uris: fc.subarray(["file:///a/1", "s3://b"]),
});

interface Step {
  readonly id: string;
  readonly kind: string;
  readonly content: Omit<NewDocument, "kind">;
  readonly source: string;
  readonly action: "put" | "patch" | "clear" | "derive" | "withdraw" | "placeholder";
  readonly actor: string | undefined;
  readonly occurredAt: string | undefined;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  id: fc.constantFrom(...ids),
  kind: fc.constantFrom(...kinds),
  content: anyContent,
  source: fc.constantFrom(...ids),
  action: fc.constantFrom("put", "patch", "patch", "clear", "derive", "withdraw", "placeholder"),
  actor: fc.constantFrom("ann", "bob", undefined),
  occurredAt: fc.constantFrom(...days.map((day) => `${day}T12:00:00Z`), undefined),
});

/** Plays steps into a store; a step that does not fit what is there becomes one that does. */
async function play(store: EmbeddedStore, steps: readonly Step[], clock: FakeClock): Promise<void> {
  for (const { id, kind, content, source, action, actor, occurredAt } of steps) {
    const envelope = { ...(actor && { actor }), ...(occurredAt && { occurredAt }) };
    const before = await store.findRecord(id);
    const isOpen = before === undefined || before.kind === "unknown";
    const hasSource = source !== id && (await store.findRecord(source)) !== undefined;
    const derivedFrom = hasSource ? [{ recordId: source }] : [];
    const document = { ...content, kind: isOpen ? kind : before.kind };
    let event: NewEvent;
    if (action === "placeholder" && before === undefined && source !== id) {
      const options = { ...envelope, unknownSources: "placeholder" as const };
      event = created(id, { ...document, derivedFrom: [{ recordId: source }] }, options);
    } else if (isOpen) event = created(id, { ...document, derivedFrom }, envelope);
    else if (action === "withdraw") event = invalidated(id, { cause: "wrong" }, envelope);
    else if (action === "put") event = replaced(id, { ...document, derivedFrom }, envelope);
    else if (action === "clear") event = updated(id, { tags: null }, envelope);
    else if (action === "derive") event = updated(id, { derivedFrom }, envelope);
    else event = updated(id, { tags: content.tags ?? {}, name: content.name }, envelope);
    await store.append([event]);
    clock.advance(dayUs / 4);
  }
}

const quote = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
const us = (time: string) => parseTimestamp(time) ?? Number.NaN;
const dayUs = 86_400_000_000;

const textTest: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.constantFrom("kind" as const, "name" as const, "id" as const, "actor" as const),
    fc.constantFrom(...kinds, ...names, ...ids, "ann", "b", "nn"),
    fc.constantFrom("whole", "prefix", "suffix", "inside", "other"),
  )
  .map(([field, text, form]) => {
    const value = (record: RecordView) => record[field];
    const forms: Readonly<Record<typeof form, [string, (held: string) => boolean]>> = {
      whole: [`${field}:${quote(text)}`, (held) => held === text],
      prefix: [`${field}:${quote(text)}*`, (held) => held.startsWith(text)],
      suffix: [`${field}=*${quote(text)}`, (held) => held.endsWith(text)],
      inside: [`${field}:*${quote(text)}*`, (held) => held.includes(text)],
      other: [`${field}!=${quote(text)}`, (held) => held !== text],
    };
    const [written, fits] = forms[form];
    return {
      text: written,
      fits: (record) => {
        const held = value(record);
        return held !== null && fits(held);
      },
    };
  });

const orders = {
  "<": (a: number) => a < 0,
  "<=": (a: number) => a <= 0,
  ">": (a: number) => a > 0,
  ">=": (a: number) => a >= 0,
} as const;

type Values = (record: RecordView) => JsonValue | undefined;

function tagOf(key: string): Values {
  return ({ tags }) => (Object.hasOwn(tags, key) ? tags[key] : undefined);
}

function attributeOf(...path: string[]): Values {
  return ({ attributes }) => {
    let value: JsonValue | undefined = attributes;
    for (const step of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step))
        return undefined;
      value = (value as Readonly<Record<string, JsonValue>>)[step];
    }
    return value;
  };
}

const places: readonly [string, Values][] = [
  ["tag.loss", tagOf("loss")],
  ['tag."st age"', tagOf("st age")],
  ["tag.x.y", tagOf("x.y")],
  ["attr.p", attributeOf("p")],
  ['attr."q.r"', attributeOf("q.r")],
  ["attr.p.1", attributeOf("p", "1")],
  ["attr.p.x", attributeOf("p", "x")],
];

const valueTest: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.constantFrom(...places),
    fc.constantFrom("0.1", "0.10", "2", "-1", "1", "true", "null", "prod", "0.5"),
    fc.constantFrom("there", "=", "!=", "text", "prefix", "..", "<", "<=", ">", ">=", 'text"<'),
  )
  .map(([[place, valueOf], literal, form]): Asked => {
    const asked = (text: string, fits: (value: JsonValue) => boolean): Asked => ({
      text,
      fits: (record) => {
        const value = valueOf(record);
        return value !== undefined && fits(value);
      },
    });
    const number = Number(literal);
    const isNumber = !Number.isNaN(number);
    const isEqual = (value: JsonValue) =>
      typeof value === "string"
        ? value === literal
        : (isNumber && value === number) ||
          (literal === "true" && value === true) ||
          (literal === "null" && value === null);
    switch (form) {
      case "there":
        return asked(place, () => true);
      case "=":
        return asked(`${place}=${literal}`, isEqual);
      case "!=":
        return asked(`${place}!=${literal}`, (value) => !isEqual(value));
      case "text":
        return asked(`${place}:${quote(literal)}`, (value) => value === literal);
      case "prefix":
        return asked(
          `${place}=${literal}*`,
          (value) => typeof value === "string" && value.startsWith(literal),
        );
      case "..":
        return isNumber
          ? asked(`${place}=..${literal}`, (value) => typeof value === "number" && value <= number)
          : asked(`${place}=..${literal}`, (value) => value === `..${literal}`);
      case 'text"<':
        return asked(
          `${place}<${quote(literal)}`,
          (value) => typeof value === "string" && value < literal,
        );
      default: {
        if (isNumber) {
          return asked(
            `${place}${form}${literal}`,
            (value) => typeof value === "number" && orders[form](value - number),
          );
        }
        return asked(
          `${place}${form}"${literal}"`,
          (value) =>
            typeof value === "string" &&
            orders[form](value < literal ? -1 : value === literal ? 0 : 1),
        );
      }
    }
  });

const countTest: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.constantFrom("position" as const, "version" as const),
    fc.nat({ max: 14 }),
    fc.constantFrom("=", "!=", "..", "<", "<=", ">", ">="),
  )
  .map(([field, count, form]): Asked => {
    if (form === "=") return { text: `${field}=${count}`, fits: (r) => r[field] === count };
    if (form === "!=") return { text: `${field}!=${count}`, fits: (r) => r[field] !== count };
    if (form === "..") {
      const fits = (record: RecordView) => record[field] >= count && record[field] <= count + 2;
      return { text: `${field}:${count}..${count + 2}`, fits };
    }
    return { text: `${field}${form}${count}`, fits: (r) => orders[form](r[field] - count) };
  });

const dayTest: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.constantFrom("occurred" as const, "recorded" as const, "created" as const),
    fc.constantFrom(...days),
    fc.constantFrom("=", "!=", "..", "<", "<=", ">", ">="),
  )
  .map(([field, day, form]): Asked => {
    const first = us(`${day}T00:00:00Z`);
    const last = first + dayUs - 1;
    const within = (time: number) => time >= first && time <= last;
    const forms = {
      "=": within,
      "!=": (time: number) => !within(time),
      "..": (time: number) => time >= first,
      "<": (time: number) => time < first,
      "<=": (time: number) => time <= last,
      ">": (time: number) => time > last,
      ">=": (time: number) => time >= first,
    };
    const text = form === ".." ? `${field}:${day}..` : `${field}${form}${day}`;
    const times = { occurred: "occurredAt", recorded: "recordedAt", created: "createdAt" } as const;
    return {
      text,
      fits: (record) => {
        const time = record[times[field]];
        return time !== null && forms[form](us(time));
      },
    };
  });

const otherTest: fc.Arbitrary<Asked> = fc.constantFrom<Asked>(
  { text: "status:valid", fits: (record) => record.status === "valid" },
  { text: "status=invalid", fits: (record) => record.status === "invalid" },
  { text: "status:stale", fits: (record) => record.stale },
  { text: "status!=stale", fits: (record) => !record.stale },
  { text: "uri:file*", fits: (record) => record.uris.some((uri) => uri.startsWith("file")) },
  { text: "uri:s3://b", fits: (record) => record.uris.includes("s3://b") },
  ...ids.map((id) => ({
    text: `from:${id}`,
    fits: (record: RecordView) => record.derivedFrom.some((source) => source.recordId === id),
  })),
  {
    text: "from:a@2",
    fits: ({ derivedFrom }) =>
      derivedFrom.some(({ recordId, version }) => recordId === "a" && version === 2),
  },
  ...["BRAGG", "nn", "c-", '"or"'].map((word) => {
    const bare = word.replaceAll('"', "").toLowerCase();
    const fits = ({ name, id }: RecordView) =>
      [name, id].some((t) => t.toLowerCase().includes(bare));
    return { text: word, fits };
  }),
  {
    text: "b*",
    fits: ({ name, id }) => [name, id].some((text) => text.toLowerCase().startsWith("b")),
  },
);

const { query } = fc.letrec<{ query: Asked; group: Asked }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(textTest, valueTest, countTest, dayTest, otherTest),
    tie("group"),
  ),
  group: fc.oneof(
    fc.tuple(tie("query"), tie("query")).map(([a, b]): Asked => ({
      text: `(${a.text}) ${b.text.startsWith("(") ? b.text : `(${b.text})`}`,
      fits: (record) => a.fits(record) && b.fits(record),
    })),
    fc.tuple(tie("query"), tie("query")).map(([a, b]): Asked => ({
      text: `(${a.text} OR ${b.text})`,
      fits: (record) => a.fits(record) || b.fits(record),
    })),
    tie("query").map((a): Asked => ({ text: `-(${a.text})`, fits: (record) => !a.fits(record) })),
  ),
}));

async function allRecords(store: EmbeddedStore, position: number): Promise<RecordView[]> {
  const reader = await store.at({ position });
  const found = new Set<string>();
  if (position > 0) {
    for await (const { recordId } of store.events({ until: position })) found.add(recordId);
  }
  return Promise.all([...found].map((id) => reader.record(id)));
}

/** Everything a page after another finds, and the parts of it. */
async function listInPages(views: Views, position: number, text: string): Promise<RecordView[]> {
  const reader = await views.at({ position });
  const records: RecordView[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.list(text, { limit: 2, cursor });
    records.push(...page.records);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return records;
}

/** Two values of one field beside each other are refused, which the predicate does not know. */
function isTaken(text: string): boolean {
  try {
    parseQuery(text);
    return true;
  } catch {
    return false;
  }
}

test("a search finds what a look at every record finds, as of every position", async () => {
  let found = 0;
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 4, maxLength: 14, size: "max" }),
      fc.array(query, { minLength: 6, maxLength: 10, size: "max" }),
      async (steps, queries) => {
        const clock = new FakeClock(`${days[0]}T00:00:00Z`);
        const store = await openMemoryStore({ clock });
        const views = await openViews(store);
        await play(store, steps, clock);
        for (const { text, fits } of queries.filter((asked) => isTaken(asked.text))) {
          tried += 1;
          for (let position = 0; position <= store.head; position += 1) {
            const expected = (await allRecords(store, position)).filter(fits);
            const reader = await views.at({ position });
            expect([text, (await reader.list(text)).records]).toEqual([text, expected]);
            expect(await listInPages(views, position, text)).toEqual(expected);
            found += expected.length;
          }
        }
        await views.close();
        await store.close();
      },
    ),
    propertySettings(60),
  );
  expect(found).toBeGreaterThan(tried);
});

test("a query is written in a form that reads back as the same tree", async () => {
  await fc.assert(
    fc.asyncProperty(query, async ({ text }) => {
      fc.pre(isTaken(text));
      const node = parseQuery(text);
      expect(parseQuery(formatQuery(node))).toEqual(node);
    }),
    propertySettings(500),
  );
});
