/** The projections every store has. */
import type { ProjectionDefinition } from "../projection.ts";
import { recordsProjection } from "./records.ts";

/** Followed by the views of every store, without being asked for. */
export const builtInProjections: readonly ProjectionDefinition[] = [recordsProjection];
