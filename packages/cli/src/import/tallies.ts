/** The last steps of a run: what was counted in the file is written into the run and its streams. */
import {
  isPlainObject,
  jsonEqual,
  type Derivation,
  type JsonValue,
  type RecordDocument,
  type RecordId,
  type Version,
} from "@sennit/core";

import type { AssetCount } from "./assets.ts";
import type { BlueskyDocument } from "./documents.ts";
import type { RowCount } from "./rows.ts";
import { attributesOf, blueskyId, runSource, type Change, type UpdateStep } from "./steps.ts";

/** A run as it stands at the end of a file, and what its counts rest on. */
export interface CountedRun {
  readonly id: RecordId;
  readonly assets: AssetCount;
  /** The run's last document, which its counts follow. */
  readonly last: BlueskyDocument;
  /** The uid of its stop document; undefined for an open run. */
  readonly stopUid: string | undefined;
}

/** The documents about outside files become the member `asset_documents` of the run's attributes. */
export function assetsStep({ id, assets, last }: CountedRun): UpdateStep {
  const { index, pointer } = last;
  return {
    type: "update",
    recordId: id,
    eventId: blueskyId("asset_documents", `${id} ${assets.uidsDigest()}`),
    occurredAt: undefined,
    index,
    pointer,
    change: (before) => {
      const attributes = newCount(before, "asset_documents", assets.count, assets.summary());
      return attributes === undefined ? undefined : patched(before, { attributes });
    },
  };
}

/**
 * The events of a stream become the member `events` of its attributes, and the stream is derived anew from its run as
 * the import leaves it: what the run has become since must not make the stream stale.
 *
 * A shorter file of a run that the store knows longer takes nothing back, so files may be imported in any order.
 */
export function rowsStep(run: CountedRun, recordId: RecordId, rows: RowCount): UpdateStep {
  const { index, pointer } = run.last;
  // All that the run's version follows from takes part, so that a run that goes on makes another event.
  const uids = [recordId, rows.uidsDigest(), run.assets.uidsDigest(), run.stopUid ?? null];
  return {
    type: "update",
    recordId,
    runId: run.id,
    eventId: blueskyId("events", JSON.stringify(uids)),
    occurredAt: rows.lastTime(),
    index,
    pointer,
    change: (before, runVersion) => {
      const attributes = newCount(before, "events", rows.count, rows.summary());
      const derivedFrom = newSources(before.derivedFrom, run.id, runVersion);
      if (attributes === undefined && derivedFrom === undefined) return undefined;
      return patched(before, {
        ...(attributes && { attributes }),
        ...(derivedFrom && { derivedFrom }),
      });
    },
  };
}

type Attributes = Readonly<Record<string, JsonValue>>;

/** The attribute to set, or undefined when the record counts as much already. */
function newCount(
  before: RecordDocument,
  member: string,
  count: number,
  summary: JsonValue,
): Attributes | undefined {
  const known = attributesOf(before)[member];
  const knownCount = isPlainObject(known) ? known["count"] : undefined;
  const isKnown = typeof knownCount === "number" && knownCount > count;
  return isKnown || jsonEqual(known, summary) ? undefined : { [member]: summary };
}

/** The sources with the run at this version, or undefined when they name this version or a later one. */
function newSources(
  sources: readonly Derivation[],
  runId: RecordId,
  runVersion: Version,
): readonly Derivation[] | undefined {
  const pin = runSource(runId, runVersion);
  const isPin = ({ recordId, role }: Derivation) => recordId === runId && role === pin.role;
  if (sources.some((source) => isPin(source) && source.version >= runVersion)) return undefined;
  return [pin, ...sources.filter((source) => !isPin(source))];
}

function patched(
  before: RecordDocument,
  patch: { readonly attributes?: Attributes; readonly derivedFrom?: readonly Derivation[] },
): Change {
  const attributes = { ...attributesOf(before), ...patch.attributes };
  return { after: { ...before, ...patch, attributes }, patch };
}
