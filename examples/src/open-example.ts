/** What the scripts have in common: the store named on the command line, or a small one in memory, with a projection. */
import {
  created,
  invalidated,
  openMemoryStore,
  openStore,
  parseAsOf,
  updated,
  type NewEvent,
  type Position,
} from "@sennit/core";
import { openViews, type ProjectionDefinition, type ProjectionRows } from "@sennit/projections";

/** A week of training, in eight events. */
export const week: readonly NewEvent[] = [
  created("ds-1", { kind: "dataset", name: "peaks" }, { actor: "maria" }),
  model("first", 0.31, "maria"),
  model("wide", 0.18, "otto"),
  updated("first", { tags: { loss: 0.22 } }, { actor: "maria" }),
  model("deep", 0.09, "otto"),
  invalidated("deep", { cause: "it was tested on what it was trained on" }, { actor: "maria" }),
  updated("wide", { tags: { loss: 0.12 } }, { actor: "otto" }),
  updated("first", { name: "first, retired", tags: { loss: null } }, { actor: "maria" }),
];

function model(name: string, loss: number, actor: string): NewEvent {
  const derivedFrom = [{ recordId: "ds-1" }];
  return created(name, { kind: "model", name, tags: { loss }, derivedFrom }, { actor });
}

/**
 * Reads a projection's rows as of an instant.
 *
 * @param words a store's directory and an instant, both optional: without a store, the week above in memory
 * @throws the codes of `openStore` and of `Store.at`
 */
export async function readAsOf<T>(
  projection: ProjectionDefinition,
  words: readonly string[],
  read: (rows: ProjectionRows, asOf: Position) => Promise<T>,
): Promise<T> {
  const [directory, instant] = words;
  const store =
    directory === undefined
      ? await openMemoryStore()
      : await openStore(directory, { create: false });
  if (directory === undefined) for (const event of week) await store.append([event]);
  const views = await openViews(store, { projections: [projection] });
  try {
    const { asOf } = await views.at(instant === undefined ? undefined : parseAsOf(instant));
    return await read(await views.rowsAt(projection.name, asOf), asOf);
  } finally {
    await views.close();
    await store.close();
  }
}
