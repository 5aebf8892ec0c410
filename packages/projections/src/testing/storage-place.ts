/** Puts every build into one storage, which tests let fail; what says which builds count outlives the views. */
import type { EmbeddedStore } from "@sennit/core";
import type { Storage } from "@sennit/core/storage";

import type { BuildPlace, Builds } from "../builds.ts";
import { ProjectionKeeper } from "../keeper.ts";
import type { ProjectionDefinition } from "../projection.ts";
import { SharedLog } from "../shared-log.ts";

/** A place of one build. */
export function placeOn(storage: Storage, builds = new Map<string, Builds>()): BuildPlace {
  return {
    builds,
    set: async (projection, its) => {
      builds.set(projection, its);
    },
    newDirectory: (projection, version) => `${projection}@${version}-1`,
    path: () => undefined,
    open: async () => storage,
    isGone: async () => false,
    sweep: async () => undefined,
    close: () => undefined,
  };
}

/** Keeps one projection on a place, without views around it. */
export function openKeeper(
  store: EmbeddedStore,
  place: BuildPlace,
  definition: ProjectionDefinition,
): Promise<ProjectionKeeper> {
  return ProjectionKeeper.open({
    store,
    log: new SharedLog(store, true),
    place,
    definition,
    isBuiltIn: false,
    workerEventsMin: Infinity,
    opened: Promise.resolve(),
    onUnused: () => undefined,
  });
}
