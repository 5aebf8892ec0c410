/** What the keeper of a projection is given: the log, where builds stand, and when one is made in a thread of its own. */
import type { EmbeddedStore } from "@sennit/core";

import type { BuildPlace } from "./builds.ts";
import type { ProjectionDefinition } from "./projection.ts";
import type { SharedLog } from "./shared-log.ts";
import { canBuildInWorker } from "./worker-build.ts";

/** What a keeper works with. */
export interface KeeperSettings {
  readonly store: EmbeddedStore;
  readonly log: SharedLog;
  readonly place: BuildPlace;
  readonly definition: ProjectionDefinition;
  readonly isBuiltIn: boolean;
  /** Events to fold from which on a build is made in a thread of its own. */
  readonly workerEventsMin: number;
  /** Resolves when all projections are open: before, none begins. */
  readonly opened: Promise<void>;
  /** Called when a build is of no use any more. */
  readonly onUnused: () => void;
}

/** True when so many events are folded in a thread of its own. */
export function goesToWorker(settings: KeeperSettings, events: number): boolean {
  const { definition, isBuiltIn, workerEventsMin, place } = settings;
  const isLong = events > 0 && events >= workerEventsMin;
  return isLong && place.path("") !== undefined && canBuildInWorker(definition, isBuiltIn);
}
