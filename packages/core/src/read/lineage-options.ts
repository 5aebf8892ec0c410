/** Checks what a question about lineage is given, and finds where it starts. */
import { StoreError } from "../errors.ts";
import { relations, type Relation } from "../event/document.ts";
import type { Position } from "../ids.ts";
import { limits } from "../limits.ts";
import { EdgeFilter } from "../lineage/edge-filter.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { carriers, type LineageDirection } from "../lineage/walk.ts";
import type { LineageFilter, LineageOptions } from "./reader.ts";

/** The direction asked for. @throws `argument-invalid` for it and for the depth */
export function checkedDirection({
  direction = "ancestors",
  depth,
}: LineageOptions): LineageDirection {
  if (depth !== undefined && (!Number.isInteger(depth) || depth < 1)) {
    throw new StoreError("argument-invalid", "depth must be a whole number from 1.", {
      details: { depth },
    });
  }
  if (direction !== "ancestors" && direction !== "descendants") {
    throw new StoreError("argument-invalid", 'direction must be "ancestors" or "descendants".', {
      details: { direction },
    });
  }
  return direction;
}

/** The filter in the numbers of the graph; undefined when every edge is followed. @throws `argument-invalid` */
export function checkedFilter(graph: LineageGraph, filter: LineageFilter): EdgeFilter | undefined {
  const { roles, relations: wanted, kinds } = filter;
  for (const [name, values] of Object.entries({ roles, relations: wanted, kinds })) {
    if (values === undefined) continue;
    const isList = Array.isArray(values) && values.every((value) => typeof value === "string");
    if (isList && values.length > 0 && values.length <= limits.filterValuesMax) continue;
    throw new StoreError(
      "argument-invalid",
      `${name} must be a list of 1 to ${limits.filterValuesMax} texts.`,
      { details: { option: name } },
    );
  }
  const unknown = wanted?.find((relation: string) => !relations.includes(relation as Relation));
  if (unknown !== undefined) {
    throw new StoreError(
      "argument-invalid",
      `${JSON.stringify(unknown)} is no relation; they are ${relations.join(", ")}.`,
      { details: { option: "relations", value: unknown } },
    );
  }
  return EdgeFilter.of(graph, { roles, relations: wanted, kinds });
}

/** Where a walk from a version begins: on the way down, what rests on the same content is looked for. */
export function startsOf(
  graph: LineageGraph,
  start: Position,
  direction: LineageDirection,
  asOf: Position,
): Position[] {
  return direction === "ancestors" ? [start] : carriers(graph, graph.contentOf(start), asOf);
}
