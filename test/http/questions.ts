/** Every question over HTTP beside the same question in this process. */
import { parseAsOf, type RecordedEvent, type RecordView } from "@sennit/core";
import { describeProjection, type ViewReader } from "@sennit/projections";

import type { Served } from "./served-store.ts";

export interface Question {
  /** The route's name in the document. */
  readonly operationId: string;
  readonly path: string;
  /** What the answer says as a value. */
  readonly ask: (served: Served) => Promise<unknown>;
}

function at({ views }: Served, asOf?: string): Promise<ViewReader> {
  return views.at(asOf === undefined ? undefined : parseAsOf(asOf));
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A question to the reader of an instant. */
function asks(
  operationId: string,
  path: string,
  ask: (reader: ViewReader, served: Served) => Promise<unknown>,
  asOf?: string,
): Question {
  return { operationId, path, ask: async (served) => ask(await at(served, asOf), served) };
}

function hex(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => Buffer.from(hash).toString("hex"));
}

async function eventPage(
  reader: ViewReader,
  options: Parameters<ViewReader["events"]>[0],
  nextFrom?: number,
): Promise<unknown> {
  const events: RecordedEvent[] = await collect(reader.events(options));
  return { asOf: reader.asOf, events, ...(nextFrom !== undefined && { nextFrom }) };
}

async function stateOf(reader: ViewReader): Promise<unknown> {
  const records: RecordView[] = await collect(reader.allRecords());
  return { asOf: reader.asOf, records };
}

const ofStore: readonly Question[] = [
  asks("getStore", "/v1/store", async (_reader, { store }) => ({
    storeId: store.storeId,
    head: store.head,
    damage: null,
  })),
  asks(
    "getInstant",
    "/v1/instant?as-of=2026-03-02T10:00:00Z",
    async ({ asOf }) => ({ asOf }),
    "2026-03-02T10:00:00Z",
  ),
  asks("resolveRef", "/v1/resolve?ref=model/braggnn@1", async (reader) => ({
    ref: await reader.resolve("model/braggnn@1"),
  })),
  asks("getSummary", "/v1/summary", (reader) => reader.summary()),
  asks(
    "getSummary",
    "/v1/summary?stale=true&as-of=9",
    (reader) => reader.summary({ stale: true }),
    "9",
  ),
  asks("getSummary", "/v1/summary?as-of=0", (reader) => reader.summary(), "0"),
  asks("getTimeline", "/v1/timeline", (reader) => reader.timeline()),
  asks(
    "getTimeline",
    "/v1/timeline?bucket=hour&by=kind&by=type&by=actor&from=2026-03-01&to=2026-12-31&as-of=first",
    (reader) =>
      reader.timeline({
        bucket: "hour",
        by: ["kind", "type", "actor"],
        from: "2026-03-01",
        to: "2026-12-31",
      }),
    "first",
  ),
  asks("getTimeline", "/v1/timeline?actor=&type=record.updated&kind=model", (reader) =>
    reader.timeline({ actor: null, type: "record.updated", kind: "model" }),
  ),
  asks("getState", "/v1/state", stateOf),
  asks("getState", "/v1/state?as-of=3", stateOf, "3"),
  asks("getStale", "/v1/stale", (reader) => reader.stale()),
  asks("getStale", "/v1/stale?as-of=9", (reader) => reader.stale(), "9"),
  asks("diffStore", "/v1/diff?from=0", (reader) => reader.changesSince(0)),
  asks("diffStore", "/v1/diff?from=first&to=12", (reader) => reader.changesSince(3), "12"),
  asks("diffStore", "/v1/diff?from=3&after=6&limit=2", async (reader) => ({
    from: 3,
    to: reader.asOf,
    records: await collect(reader.changes(3, { after: 6, limit: 2 })),
  })),
  asks("listLabels", "/v1/labels", async (reader) => ({
    asOf: reader.asOf,
    labels: (await reader.summary()).labels,
  })),
  asks("getLabel", "/v1/labels/first", async () => ({ name: "first", position: 3 })),
  asks("getLabel", "/v1/labels/-?name=first", async () => ({ name: "first", position: 3 })),
  asks("listProjections", "/v1/projections", async (_reader, { views }) => {
    await views.caughtUp();
    return { projections: views.names.map((name) => describeProjection(views.progress(name))) };
  }),
];

const ofEvents: readonly Question[] = [
  asks("listEvents", "/v1/events", (reader) => eventPage(reader, {})),
  asks("listEvents", "/v1/events?limit=4", (reader) => eventPage(reader, { limit: 4 }, 5)),
  asks(
    "listEvents",
    "/v1/events?from=2&until=3&as-of=5",
    (reader) => eventPage(reader, { from: 2, until: 3 }),
    "5",
  ),
  asks("listEvents", "/v1/events?reverse=true&limit=2&from=9", (reader) =>
    eventPage(reader, { reverse: true, limit: 2, from: 9 }, 7),
  ),
  asks("listEvents", "/v1/events?recordId=dataset/scan%201%20again", (reader) =>
    eventPage(reader, { recordId: "ds-1" }),
  ),
  asks("listEvents", "/v1/events?type=record.invalidated&limit=1", async (reader) => {
    const events = await collect(reader.events());
    const [first, second] = events.filter(({ type }) => type === "record.invalidated");
    return { asOf: reader.asOf, events: [first], nextFrom: second?.position };
  }),
];

const ofRecords: readonly Question[] = [
  asks("getRecord", "/v1/records/m-1", (reader) => reader.record("m-1")),
  asks("getRecord", "/v1/records/m-1?as-of=first", (reader) => reader.record("m-1"), "first"),
  asks("getRecord", "/v1/records/ds-1@1", (reader) => reader.record("ds-1@1")),
  asks("getRecord", "/v1/records/ds-1?version=2", (reader) => reader.record("ds-1@2")),
  asks("getRecord", "/v1/records/model%2Fbraggnn", (reader) => reader.record("model/braggnn")),
  asks("getRecord", "/v1/records/decision%2F42", (reader) => reader.record("decision/42")),
  asks("getRecord", "/v1/records/secret", (reader) => reader.record("secret")),
  asks("getRecord", "/v1/records/-?ref=late", (reader) => reader.record("late")),
  asks("listRecords", "/v1/records", (reader) => reader.list()),
  asks(
    "listRecords",
    "/v1/records?limit=2&as-of=8",
    (reader) => reader.list({}, { limit: 2 }),
    "8",
  ),
  asks(
    "listRecords",
    "/v1/records?where=name:b*&kind=model&status=invalid&tag.loss=0.120&tag.stage=%22prod%22&word=bragg&as-of=12",
    (reader) =>
      reader.list({
        where: "name:b*",
        kind: "model",
        status: "invalid",
        tags: { loss: "0.120", stage: { text: "prod" } },
        words: ["bragg"],
      }),
    "12",
  ),
  asks("listRecords", "/v1/records?kind=model&explain=true", (reader) =>
    reader.explain({ kind: "model" }),
  ),
  asks("getHistory", "/v1/records/ds-1/history", (reader) => reader.history("ds-1")),
  asks("getHistory", "/v1/records/cal-1/history", (reader) => reader.history("cal-1")),
  asks("getHistory", "/v1/records/m-1/history", (reader) => reader.history("m-1")),
  asks("getHistory", "/v1/records/m-2/history", (reader) => reader.history("m-2")),
  asks("getHistory", "/v1/records/secret/history", (reader) => reader.history("secret")),
  asks("getHistory", "/v1/records/ds-1/history?after=1&limit=1", (reader) =>
    reader.history("ds-1", { after: 1, limit: 1 }),
  ),
  asks("diffRecord", "/v1/records/ds-1/diff?from=1", (reader) => reader.diff("ds-1@1", "ds-1")),
  asks("diffRecord", "/v1/records/ds-1/diff?from=1&to=2", (reader) =>
    reader.diff("ds-1@1", "ds-1@2"),
  ),
  asks("diffRecord", "/v1/records/m-1@1/diff?with=m-2", (reader) => reader.diff("m-1@1", "m-2")),
  asks("getBlame", "/v1/records/m-1/blame", (reader) => reader.blame("m-1")),
  asks("getBlame", "/v1/records/ds-1/blame?version=3", (reader) => reader.blame("ds-1@3")),
  asks("getBlame", "/v1/records/m-2/blame", (reader) => reader.blame("m-2")),
  asks("getBlame", "/v1/records/secret/blame", (reader) => reader.blame("secret")),
  asks(
    "getOutdatedSources",
    "/v1/records/m-1/outdated-sources?as-of=9",
    (reader) => reader.outdatedSources("m-1"),
    "9",
  ),
  asks("getOutdatedSources", "/v1/records/ds-1/outdated-sources", (reader) =>
    reader.outdatedSources("ds-1"),
  ),
];

const ofLineage: readonly Question[] = [
  asks("getLineage", "/v1/records/decision%2F42/lineage", (reader) =>
    reader.lineage("decision/42"),
  ),
  asks("getLineage", "/v1/records/ds-1@1/lineage?direction=descendants&depth=1", (reader) =>
    reader.lineage("ds-1@1", { direction: "descendants", depth: 1 }),
  ),
  asks("getLineage", "/v1/records/m-1/lineage?role=training-data&kind=dataset&kind=x", (reader) =>
    reader.lineage("m-1", { roles: ["training-data"], kinds: ["dataset", "x"] }),
  ),
  asks(
    "getLineage",
    "/v1/records/m-1/lineage?relation=used&as-of=3",
    (reader) => reader.lineage("m-1", { relations: ["used"] }),
    "3",
  ),
  asks("getLineage", "/v1/records/decision%2F42/lineage?refs=true", (reader) =>
    reader.lineageRefs("decision/42"),
  ),
  asks(
    "getLineage",
    "/v1/records/ds-1/lineage?version=1&direction=descendants&since=first",
    (reader) => reader.lineageDiff("ds-1@1", 3, { direction: "descendants" }),
  ),
  asks("getPaths", "/v1/records/decision%2F42/paths?to=ds-1@1&limit=5", (reader) =>
    reader.paths("decision/42", "ds-1@1", { limit: 5 }),
  ),
  asks("getCommonAncestors", "/v1/records/m-1/common-ancestors?with=decision/42", (reader) =>
    reader.commonAncestors("m-1", "decision/42"),
  ),
  asks("getImpact", "/v1/records/ds-1/impact", (reader) => reader.impact("ds-1")),
  asks("getImpact", "/v1/records/ds-1@1/impact?since=true&at=first", (reader) =>
    reader.impact("ds-1@1", { since: true, at: 3 }),
  ),
  asks(
    "getImpact",
    "/v1/records/m-1/impact?cascade=false&as-of=5",
    (reader) => reader.impact("m-1", { cascade: false }),
    "5",
  ),
  asks("getReplay", "/v1/records/decision%2F42/replay", (reader) => reader.replay("decision/42")),
  asks("getReplay", "/v1/records/secret/replay", (reader) => reader.replay("secret")),
];

const ofProofs: readonly Question[] = [
  asks("getReceipt", "/v1/records/decision%2F42/receipt", (_reader, { store }) =>
    store.receipt("decision/42"),
  ),
  asks("getReceipt", "/v1/records/decision%2F42/receipt?size=8&against=3", (_reader, { store }) =>
    store.receipt("decision/42", { size: 8, against: { size: 3 } }),
  ),
  asks("getReceipt", "/v1/records/secret/receipt", (_reader, { store }) => store.receipt("secret")),
  asks("getVerifierKey", "/v1/verifier-key", async (_reader, { store }) => ({
    verifierKey: await store.verifierKey(),
  })),
  asks("getCheckpoint", "/v1/checkpoint?size=5", async (_reader, { store }) => ({
    size: 5,
    root: (await (await store.at({ position: 5 })).summary()).root,
    note: await store.checkpoint(5),
  })),
  asks("getInclusionProof", "/v1/proofs/inclusion?position=3", async (_reader, { store }) => ({
    position: 3,
    size: store.head,
    hashes: hex(await store.inclusionProof(3)),
  })),
  asks("getConsistencyProof", "/v1/proofs/consistency?from=3&to=9", async (_reader, { store }) => ({
    from: 3,
    to: 9,
    hashes: hex(await store.consistencyProof(3, 9)),
  })),
];

/** All of them. A projection's rate is no answer about the store: nothing is appended while they are asked. */
export const questions: readonly Question[] = [
  ...ofStore,
  ...ofEvents,
  ...ofRecords,
  ...ofLineage,
  ...ofProofs,
];
