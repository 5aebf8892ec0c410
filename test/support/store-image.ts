/** A store with a bit of everything in it, and every question about it: what stored images are made of and held to. */
import {
  created,
  invalidated,
  replaced,
  updated,
  type EmbeddedStore,
  type NewEvent,
  type Position,
  type RecordedEvent,
  type Store,
} from "@sennit/core";

type Answer = unknown;

/** Appends the history that every image holds: all event types, a cascade, a late edge, keys, ids, full blocks, full tiles, an erasure. */
export async function fillStore(store: EmbeddedStore): Promise<void> {
  await store.append([
    created("cfg-1", { kind: "config", name: "run 7", attributes: { energy: 8.3, note: null } }),
    created("ds-1", {
      kind: "dataset",
      name: "frames",
      uris: ["file:///frames.h5"],
      artifacts: [{ name: "frames.h5", uri: "file:///frames.h5", sizeBytes: 5_000_000_000 }],
      derivedFrom: [{ recordId: "cfg-1", role: "configuration" }],
    }),
  ]);
  const envelope = { id: "0190a0a0-0000-7000-8000-00000000abcd", actor: "maria" };
  await store.append(
    [
      created("m-1", modelFrom("ds-1"), { ...envelope, occurredAt: "2026-03-02T09:58:00Z" }),
      updated("m-1", { tags: { loss: 0.12, stage: "prod" } }),
    ],
    { idempotencyKey: "train-1" },
  );
  await store.append([
    created("d-1", {
      kind: "decision",
      name: "use m-1",
      derivedFrom: [{ recordId: "m-1", version: 2 }],
    }),
  ]);
  await store.append([
    replaced("cfg-1", { kind: "config", name: "run 8", attributes: { energy: 9.1 } }),
  ]);
  await store.label("before-recall");
  for (let value = 0; value < 70; value += 1) {
    await store.append(
      [updated("counter", { attributes: { value } }, {})].map(withCreation(value)),
    );
  }
  await store.append([invalidated("ds-1", { cause: "the detector was miscalibrated" })]);
  await store.append(
    [
      created("late", {
        kind: "model",
        name: "late",
        derivedFrom: [{ recordId: "ds-1", version: 1 }],
      }),
      created("orphan", { kind: "run", name: "orphan", derivedFrom: [{ recordId: "lost" }] }, {}),
    ].map((event) => ({ ...event, unknownSources: "placeholder" as const })),
  );
  const many = Array.from({ length: 200 }, (_, index) =>
    created(`r-${index}`, { kind: "run", name: `run ${index}`, tags: { index } }),
  );
  await store.append(many);
  await store.erase(["r-150", "counter@40"], { cause: "names a person", actor: "otto" });
}

function modelFrom(recordId: string): Extract<NewEvent, { type: "record.created" }>["data"] {
  return {
    kind: "model",
    name: "braggnn",
    derivedFrom: [{ recordId, role: "training-data" }],
    onInvalidate: ["cfg-1"],
  };
}

/** The first event about the counter makes it. */
function withCreation(value: number): (event: NewEvent) => NewEvent {
  const first = created("counter", { kind: "counter", name: "counter", attributes: { value } });
  return (event) => (value === 0 ? first : event);
}

/** The answers to every question about some records as of the head and of earlier instants. */
export async function askEverything(store: Store): Promise<Answer> {
  const positions = [store.head, Math.floor(store.head / 2), 6, 3].map(atPosition);
  const label = { label: "before-recall" };
  const instants = [];
  for (const asOf of [...positions, label]) instants.push(await askAsOf(store, asOf));
  return { head: store.head, instants, events: await allEvents(store) };
}

function atPosition(position: Position): { readonly position: Position } {
  return { position };
}

async function askAsOf(
  store: Store,
  asOf: { readonly position: Position } | { readonly label: string },
): Promise<Answer> {
  const reader = await store.at(asOf);
  const records: Record<string, Answer> = {};
  for (const recordId of ["cfg-1", "ds-1", "m-1", "d-1", "counter", "late", "lost", "r-150"]) {
    if ((await reader.findRecord(recordId)) === undefined) continue;
    const { events: _events, ...history } = await reader.history(recordId);
    records[recordId] = {
      history,
      ancestors: await reader.lineage(recordId),
      descendants: await reader.lineage(recordId, { direction: "descendants" }),
      impact: await reader.impact(recordId),
      replay: await reader.replay(recordId),
      outdatedSources: await reader.outdatedSources(recordId),
    };
  }
  const { records: changed, ...changes } = await reader.changesSince(0);
  // The images are older than the positions of changes.
  const rows = changed.map(({ position: _position, ...change }) => change);
  return { asOf: reader.asOf, records, changes: { ...changes, records: rows } };
}

async function allEvents(store: Store): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.events()) events.push(event);
  return events;
}
