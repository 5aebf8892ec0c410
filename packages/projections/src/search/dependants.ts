/** Finds in the lineage the records that may derive directly from others. */
import { setImmediate } from "node:timers/promises";

import type { Reader, RecordId, Version } from "@sennit/core";

import { readRevised, type SpanReading } from "../read-models/record-spans.ts";

/** Versions whose dependants are looked up at most; beyond that, reading every record is not dearer. */
const versionsMax = 10_000;
/** Versions looked up between two turns of the event loop. */
const versionsPerTurn = 256;

/**
 * The records of which some version derives directly from a record, or from one version of it; undefined when it has too
 * many versions to look all of them up.
 */
export async function dependantsOf(
  reader: Reader,
  recordId: RecordId,
  version: Version | undefined,
  signal?: AbortSignal,
): Promise<ReadonlySet<RecordId> | undefined> {
  const found = new Set<RecordId>();
  const isWhole = await addDependants(found, { reader, recordId, version, signal }, versionsMax);
  return isWhole === undefined ? undefined : found;
}

/** The records that may be stale: those that derive directly from one whose content has changed. */
export async function mayBeStale(
  reader: Reader,
  reading: SpanReading,
): Promise<ReadonlySet<RecordId> | undefined> {
  const revised = await readRevised(reading, versionsMax);
  if (revised === undefined) return undefined;
  const found = new Set<RecordId>();
  let left = versionsMax;
  for (const recordId of revised) {
    const { signal } = reading;
    const count = await addDependants(
      found,
      { reader, recordId, version: undefined, signal },
      left,
    );
    if (count === undefined) return undefined;
    left -= count;
  }
  return found;
}

interface Sources {
  readonly reader: Reader;
  readonly recordId: RecordId;
  readonly version: Version | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @returns how many versions were looked up; undefined for more than `max` */
async function addDependants(
  found: Set<RecordId>,
  { reader, recordId, version, signal }: Sources,
  max: number,
): Promise<number | undefined> {
  const current = (await reader.findRecord(recordId))?.version ?? 0;
  const first = version ?? 1;
  const last = version === undefined ? current : Math.min(version, current);
  if (last - first >= max) return undefined;
  for (let number = first; number <= last; number += 1) {
    const options = { direction: "descendants", depth: 1, signal } as const;
    const { nodes } = await reader.lineageRefs(`${recordId}@${number}`, options);
    for (const node of nodes) found.add(node.recordId);
    if (number % versionsPerTurn === 0) await setImmediate();
  }
  return Math.max(0, last - first + 1);
}
