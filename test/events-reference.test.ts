/** The event reference is true: its examples are events, its members are known, its limits are the limits. */
import {
  documentMembers,
  eventTypes,
  isStoreError,
  limits,
  openMemoryStore,
  validateEvent,
  type EmbeddedStore,
  type NewEvent,
  type RecordedEvent,
} from "@sennit/core";
import { FakeClock } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { blocksOf, codeIn, sectionOf, tablesOf } from "./support/markdown.ts";
import { readText } from "./support/repository.ts";

const reference = readText("docs/reference/events.md");
const examples = blocksOf(reference)
  .filter(({ language }) => language === "json")
  .map(({ text }) => JSON.parse(text) as Readonly<Record<string, unknown>>);
const newEvents = examples.filter((example) => !("position" in example));
const recordedEvents = examples.filter((example) => "position" in example);

/** The names in the first column of a section's n-th table. */
function names(title: string, table = 0): string[] {
  const found = tablesOf(sectionOf(reference, title).text)[table];
  const [first = ""] = found?.columns ?? [];
  return (found?.rows ?? []).map((row) => codeIn(row[first] ?? ""));
}

/** The pointers of an event's problems; none when it is fine. */
function pointers(event: unknown): string[] {
  try {
    validateEvent(event);
    return [];
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return (error.details["issues"] as { readonly pointer: string }[]).map(
      (issue) => issue.pointer,
    );
  }
}

/** The problem at one place of an event, or nothing. */
function problemAt(event: unknown, pointer: string): string | undefined {
  try {
    validateEvent(event);
    return undefined;
  } catch (error) {
    if (!isStoreError(error)) throw error;
    const issues = error.details["issues"] as {
      readonly pointer: string;
      readonly message: string;
    }[];
    return issues.find((issue) => issue.pointer === pointer)?.message;
  }
}

/** The JSON of an event, the same for every id and hash. */
function withoutIds(event: RecordedEvent | undefined): string {
  const idOrHash = /"[0-9a-f]{64}"|"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g;
  return JSON.stringify(event).replaceAll(idOrHash, '"..."');
}

async function storeOfExamples(): Promise<EmbeddedStore> {
  const store = await openMemoryStore({ clock: new FakeClock("2026-03-02T10:00:00Z") });
  for (const event of newEvents) await store.append([event as unknown as NewEvent]);
  return store;
}

test("the three types are the ones there are", () => {
  const [table] = tablesOf(reference);
  expect(table?.rows.map((row) => codeIn(row["Type"] ?? ""))).toEqual(eventTypes);
});

test("every type has an example, and every example is valid", () => {
  expect(new Set(newEvents.map((event) => event["type"]))).toEqual(new Set(eventTypes));
  expect(newEvents.flatMap((event) => pointers(event))).toEqual([]);
});

test("the recorded example is what the store makes of the examples before it", async () => {
  const [shown] = recordedEvents as unknown as RecordedEvent[];
  expect(recordedEvents).toHaveLength(1);
  const store = await storeOfExamples();
  const stored: RecordedEvent[] = [];
  for await (const event of store.events({ from: shown?.position })) stored.push(event);
  expect(withoutIds(stored[0])).toBe(withoutIds(shown));
});

test("every member of the envelope and every option is known, and nothing else is", () => {
  const known = [...names("Envelope", 0), ...names("Envelope", 1)];
  const event = Object.fromEntries(known.map((name) => [name, {}]));
  const refusals = known.map((name) => problemAt(event, `/${name}`) ?? "");
  expect(refusals.filter((message) => message.includes("is not a known field"))).toEqual([]);
  expect(problemAt({ ...event, surplus: 1 }, "/surplus")).toContain("is not a known field");
});

test("every needed member of the envelope is needed, and no other", () => {
  const [table] = tablesOf(sectionOf(reference, "Envelope").text);
  const needed = (table?.rows ?? []).filter((row) => row["Needed"] === "yes");
  const empty = pointers({ type: "record.created" });
  expect(needed.map((row) => `/${codeIn(row["Member"] ?? "")}`)).toEqual(["/type", ...empty]);
});

test("the members of a document are the ones there are", () => {
  expect(names("record.created")).toEqual(documentMembers);
});

test("the members of an update and of an invalidation are known", () => {
  for (const [type, members] of [
    ["record.updated", names("record.updated")],
    ["record.invalidated", names("record.invalidated")],
  ] as const) {
    const event = {
      type,
      recordId: "r",
      data: Object.fromEntries(members.map((name) => [name, 7])),
    };
    const unknown = members.filter((name) => problemAt(event, `/data/${name}`)?.includes("known"));
    expect([type, unknown]).toEqual([type, []]);
    expect(members.length).toBeGreaterThan(0);
  }
});

test("what the store adds is refused from a client, but for the id", () => {
  const added = names("What the store adds");
  const event = { type: "record.created", recordId: "r", data: { kind: "k", name: "n" } };
  const refused = added.filter(
    (name) => problemAt({ ...event, [name]: 1 }, `/${name}`) === "is set by the store",
  );
  expect(refused).toEqual(added.filter((name) => name !== "id"));
});

test("the limits and their values are the ones of the store", () => {
  const [table] = tablesOf(sectionOf(reference, "Limits").text);
  const documented = (table?.rows ?? []).map((row) => [
    codeIn(row["Limit"] ?? ""),
    Number(row["Value"]?.replaceAll(",", "")),
  ]);
  expect(documented).toEqual(Object.entries(limits));
});
