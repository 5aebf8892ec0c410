/** What every question is answered from: the log, its stored state, and the position spoken for. */
import { must } from "../assert.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import { parseRef, type Position, type RecordVersionRef } from "../ids.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import { mustHaveVersions, RecordVersions } from "../records/versions.ts";
import type { State } from "../records/state.ts";
import type { StateSnapshots } from "../state/snapshots.ts";

export interface ReadScope {
  readonly log: EmbeddedLog;
  readonly state: State;
  readonly asOf: Position;
  /** Undefined for a store in memory. */
  readonly snapshots?: StateSnapshots | undefined;
}

/** A version found by a ref. */
export interface Found {
  readonly versions: RecordVersions;
  readonly entry: VersionEntry;
  /** True when the ref named the version. */
  readonly versionGiven: boolean;
}

/** The version a ref means at the scope's instant; without a version, the current one. @throws `ref-invalid` */
export function findRef({ state, asOf }: ReadScope, ref: string): Found | undefined {
  const { target, version } = parseRef(ref);
  const versions = RecordVersions.of(state, target);
  const entry = version === undefined ? versions?.asOf(asOf) : versions?.version(version, asOf);
  if (versions === undefined || entry === undefined) return undefined;
  return { versions, entry, versionGiven: version !== undefined };
}

/** Like `findRef`. @throws `record-not-found`, `version-not-found`, `ref-invalid` */
export function mustFindRef(scope: ReadScope, ref: string): Found {
  const found = findRef(scope, ref);
  if (found !== undefined) return found;
  const { state, asOf } = scope;
  const { target, version } = parseRef(ref);
  const current = RecordVersions.of(state, target)?.asOf(asOf);
  if (current === undefined) {
    throw new StoreError(
      "record-not-found",
      `There is no record ${JSON.stringify(target)} as of position ${asOf}.`,
      { details: { recordId: target, asOf } },
    );
  }
  throw new StoreError(
    "version-not-found",
    `Record ${JSON.stringify(target)} has no version ${version} as of position ${asOf}; the last is ${current.version}.`,
    { details: { recordId: target, version, current: current.version, asOf } },
  );
}

/** A version that the graph or a range names, and so is there. */
export function foundVersion({ state }: ReadScope, { recordId, version }: RecordVersionRef): Found {
  const versions = mustHaveVersions(state, recordId);
  const entry = must(versions.version(version), "a version the log names is stored");
  return { versions, entry, versionGiven: true };
}
