// Everything that is asked of a store, as questions with names: each gives JSON or throws.
import { StoreError } from "@sennit/core";

import { recordIds, resendable } from "./make-store.mjs";

/** Positions to ask about beside the head: the first event, two on the way, and the first after a full tile. */
const instants = [1, 37, 120, 257];

/** The questions, in an order that asks the store alone before it asks the views. */
export function* questionsOf(store, views, head) {
  yield ["head", () => store.head];
  for (const position of [...instants, head]) yield* recordQuestions(store, position);
  for (const recordId of recordIds.filter((id) => id !== "never-made")) {
    yield [
      `history ${recordId}`,
      async () => (await store.at({ position: head })).history(recordId),
    ];
  }
  yield* storeQuestions(store, head);
  for (const position of [120, head]) yield* viewQuestions(views, position);
  for (const [index, { events, options }] of resendable.entries()) {
    yield [`resend ${index}`, () => resend(store, events, options)];
  }
}

function* recordQuestions(store, position) {
  for (const recordId of recordIds) {
    yield [
      `record ${recordId} at ${position}`,
      async () => (await (await store.at({ position })).findRecord(recordId)) ?? null,
    ];
  }
}

function* storeQuestions(store, head) {
  const at = (position) => store.at({ position });
  const places = [
    ["r-20", 120],
    ["r-20", head],
    ["r-1", head],
    ["r-35", head],
  ];
  for (const [ref, position] of places) {
    for (const direction of ["ancestors", "descendants"]) {
      yield [
        `${direction} of ${ref} at ${position}`,
        async () => (await at(position)).lineage(ref, { direction }),
      ];
    }
    yield [`impact of ${ref} at ${position}`, async () => (await at(position)).impact(ref)];
    yield [`replay of ${ref} at ${position}`, async () => (await at(position)).replay(ref)];
    yield [
      `sources of ${ref} at ${position}`,
      async () => (await at(position)).outdatedSources(ref),
    ];
  }
  for (const version of [1, 60, 64, 65, 79]) {
    yield [`record r-0@${version}`, async () => (await at(head)).record(`r-0@${version}`)];
  }
  yield ["diff", async () => (await at(head)).diff("r-0@3", "r-0@70")];
  yield ["changes", async () => (await at(head)).changesSince(200)];
  yield ["events", async () => all((await at(head)).events())];
  yield ["events reversed", async () => all((await at(head)).events({ reverse: true, limit: 20 }))];
  for (const label of ["opening-0", "opening-1", "last"]) {
    yield [`label ${label}`, async () => (await store.at({ label })).asOf];
  }
  yield ["proof", () => hex(store.log.proofs.inclusionProof(17, head))];
  yield ["consistency", () => hex(store.log.proofs.consistencyProof(100, head))];
  yield ["checkpoint", () => store.checkpoint(head)];
  yield ["verifier key", () => store.verifierKey()];
  yield ["receipt", () => store.receipt("r-20")];
  yield ["verify", () => verify(store)];
}

function* viewQuestions(views, position) {
  const at = () => views.at({ position });
  const queries = { all: {}, models: { kind: "model" }, group: { tags: { group: "2" } } };
  for (const [name, query] of Object.entries(queries)) {
    yield [`list ${name} at ${position}`, async () => listAll(await at(), query)];
  }
  for (const status of ["valid", "invalid"]) {
    yield [`list ${status} at ${position}`, async () => listAll(await at(), { status })];
  }
  yield [`stale at ${position}`, async () => (await at()).stale()];
  yield [
    `by name at ${position}`,
    async () => (await at()).resolve("model/record 3").catch(codeOf),
  ];
}

async function listAll(reader, query) {
  const pages = [];
  for (let cursor; ;) {
    const page = await reader.list(query, { limit: 15, cursor });
    // A cursor names the store it is of, and a bit of that name may be the one that is flipped.
    pages.push({ asOf: page.asOf, records: page.records });
    if (page.nextCursor === undefined) return pages;
    cursor = page.nextCursor;
  }
}

/** The name of a record may have changed: then that it is not found is the answer. */
function codeOf(error) {
  if (error?.code === "record-not-found") return error.code;
  throw error;
}

/** What `verify` has found is as good as an error; how long it took is no answer. */
async function verify(store) {
  const report = await store.verify();
  const [problem] = report.problems;
  if (problem !== undefined) throw new StoreError(problem.code, problem.message);
  const { head, events, records } = report;
  return { head, events, records };
}

async function resend(store, events, options) {
  const { events: answers } = await store.append(events, options);
  return answers.map(({ status, position, version }) => ({ status, position, version }));
}

async function all(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

function hex(hashes) {
  return [...hashes].map((hash) => Buffer.from(hash).toString("hex"));
}
