/** Puts the progress of a projection together from those of its builds. */
import type { Position, StoreError } from "@sennit/core";

import { emptyStateHash, type Checkpoint } from "./checkpoint.ts";
import { etaSeconds, type ProjectionProgress, type ProjectionState } from "./progress.ts";
import type { ProjectionDefinition } from "./projection.ts";

interface Runner {
  readonly checkpoint: Checkpoint;
  readonly eventsPerSecond: number;
}

/** What there is of a projection. */
export interface ProjectionParts {
  readonly definition: ProjectionDefinition;
  readonly head: Position;
  readonly serving: Runner | undefined;
  readonly next: Runner | undefined;
  readonly worker: { readonly position: Position; readonly eventsPerSecond: number } | undefined;
  readonly failure: StoreError | null;
  readonly isPaused: boolean;
}

/** How far it all is. */
export function describeProgress(parts: ProjectionParts): ProjectionProgress {
  const { definition, head, serving, next, worker, failure } = parts;
  const shown = (serving ?? next)?.checkpoint;
  const position = shown?.position ?? worker?.position ?? 0;
  const made = next?.checkpoint.position ?? worker?.position;
  const eventsPerSecond = (next ?? worker ?? serving)?.eventsPerSecond ?? 0;
  const state = stateOf(parts, position < head);
  const isGoing = state !== "paused" && state !== "failed";
  return {
    name: definition.name,
    version: shown?.version ?? definition.version,
    state,
    position,
    head,
    lag: head - position,
    stateHash: shown?.stateHash ?? emptyStateHash,
    eventsPerSecond,
    etaSeconds: etaSeconds(head - (made ?? position), eventsPerSecond, isGoing),
    rebuild:
      made === undefined
        ? null
        : { version: definition.version, position: made, inWorker: next === undefined },
    failure,
  };
}

function stateOf(
  { failure, isPaused, next, worker }: ProjectionParts,
  lags: boolean,
): ProjectionState {
  if (failure !== null) return "failed";
  if (isPaused) return "paused";
  if (next !== undefined || worker !== undefined) return "rebuilding";
  return lags ? "catching-up" : "live";
}
