// Makes the small store that bits are flipped in, and copies it as a process that is killed would leave it.
import { cp } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

import { created, invalidated, openStore, replaced, updated } from "@sennit/core";
import { openViews } from "@sennit/projections";

/** Each opening makes a table of what the log held before, and four tables are compacted. */
const openings = 6;
/** A record with more versions than fit into one version block. */
const longestRecord = "r-0";
const updatesOfLongest = 78;
const recordCount = 36;
/** Long enough for the side file and a compaction to be written. Milliseconds. */
const idleMs = 500;

/** An event id, a UUID of version 7. */
function eventId(number) {
  return `0198c2f0-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

/** Batches a client sends with ids and with a key, and may send again. */
export const resendable = [
  {
    events: [
      { ...created("given-1", { kind: "given", name: "given 1" }), id: eventId(1) },
      { ...created("given-2", { kind: "given", name: "given 2" }), id: eventId(2) },
    ],
    options: {},
  },
  {
    events: [created("keyed-1", { kind: "keyed", name: "keyed 1", tags: { key: true } })],
    options: { idempotencyKey: "batch of the morning" },
  },
];

/** Appends what one opening adds. */
async function appendOpening(store, opening) {
  if (opening === 0) await store.append(initialRecords());
  const { events, options } = resendable[opening] ?? {};
  if (events !== undefined) await store.append(events, options);
  const share = updatesOfLongest / openings;
  await store.append(Array.from({ length: share }, (_, turn) => patchOf(opening * share + turn)));
  await store.append(
    Array.from({ length: recordCount - 1 }, (_, index) => changeOf(index + 1, opening)),
  );
  if (opening % 2 === 1) {
    await store.append([
      invalidated(`r-${opening * 5}`, { cause: `opening ${opening} was wrong` }),
    ]);
  }
  await store.label(opening === 5 ? "last" : `opening-${opening % 3}`);
}

function initialRecords() {
  return Array.from({ length: recordCount }, (_, index) =>
    created(`r-${index}`, {
      kind: index % 3 === 0 ? "model" : "dataset",
      name: `record ${index}`,
      tags: { group: index % 4 },
      attributes: { energy: index / 8, unit: "keV", parts: [index, { deep: null }] },
      uris: index % 5 === 0 ? [`https://example.org/${index}`] : [],
      derivedFrom:
        index === 0 ? [] : [{ recordId: `r-${Math.floor((index - 1) / 2)}`, role: "input" }],
    }),
  );
}

function patchOf(turn) {
  return updated(longestRecord, { attributes: { turn }, tags: { turn: turn % 7 } });
}

function changeOf(index, opening) {
  const recordId = `r-${index}`;
  if ((index + opening) % 3 !== 0) return updated(recordId, { attributes: { opening, index } });
  const derivedFrom = [{ recordId: `r-${(index * 7) % recordCount}`, role: "again" }];
  return replaced(recordId, {
    kind: index % 3 === 0 ? "model" : "dataset",
    name: `renewed ${index}`,
    derivedFrom,
  });
}

/** Makes the store in `directory` and a copy of it, taken while it was open, in `image`. */
export async function makeStore(directory, image) {
  for (let opening = 0; opening < openings; opening += 1) {
    const store = await openStore(directory);
    const views = await openViews(store);
    await appendOpening(store, opening);
    await views.caughtUp();
    if (opening === 0) await store.checkpoint();
    if (opening === openings - 1) {
      await setTimeout(idleMs);
      await cp(directory, image, { recursive: true });
    }
    await views.close();
    await store.close();
  }
}

/** Every record of the store that questions are asked about. */
export const recordIds = [
  ...Array.from({ length: recordCount }, (_, index) => `r-${index}`),
  ...["given-1", "given-2", "keyed-1", "label:opening-0", "label:last", "never-made"],
];
