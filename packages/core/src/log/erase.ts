/** Works out what an erasure destroys, and what has to be written for it. */
import { randomBytes, randomUUID } from "node:crypto";

import { must } from "../assert.ts";
import { sealed } from "../codec/entry.ts";
import { frame } from "../codec/frame.ts";
import type { VersionBlock, VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import { Checker } from "../event/checker.ts";
import { contentDigest, contentDigestBytes } from "../event/document.ts";
import { canonicalJson } from "../event/json.ts";
import { erasureDocument, erasureKind, type ErasedVersions } from "../event/erasure.ts";
import { created, type NewEvent } from "../event/event.ts";
import type { EventId, Position, RecordId, Version } from "../ids.ts";
import { limits } from "../limits.ts";
import { mustHaveEntry, type State } from "../records/state.ts";
import { RecordVersions } from "../records/versions.ts";
import {
  blockKey,
  documentKey,
  idempotencyKeyRange,
  idempotencyKeyText,
} from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import { idempotencyPut, olderBlockPut } from "./stored-parts.ts";
import { readEntries } from "./read-entries.ts";

/** A record, or one version of it, whose content is to be destroyed. */
export interface EraseTarget {
  readonly recordId: RecordId;
  /** Undefined: all versions so far. */
  readonly version?: Version | undefined;
}

export interface EraseOptions {
  /** Why. It is recorded, and stays. */
  readonly cause: string;
  readonly actor?: string | undefined;
  /** Says what would be erased, and changes nothing. Default false. */
  readonly dryRun?: boolean | undefined;
}

const optionNames = new Set(["cause", "actor", "dryRun"]);

/** What is recorded must be what any event may hold. @throws `argument-invalid` */
function checkOptions(options: EraseOptions): void {
  const check = new Checker();
  if (check.object(options, "")) {
    const { cause, actor, dryRun } = options;
    check.members({ ...options }, optionNames, "");
    if (
      check.text(cause, "", "cause", limits.causeBytesMax, { lines: true }) &&
      cause.trim() === ""
    ) {
      check.fail("/cause", "must not be empty");
    }
    if (actor !== undefined) check.text(actor, "", "actor", limits.actorBytesMax);
    if (dryRun !== undefined) check.boolean(dryRun, "/dryRun");
  }
  const [first] = check.issues;
  if (first === undefined) return;
  throw new StoreError("argument-invalid", `Erase option ${first.pointer} ${first.message}.`, {
    details: { issues: check.issues },
  });
}

/** What an erasure destroyed. */
export interface ErasureResult {
  /** Where the erasure is recorded, and under which id; null when nothing was left to erase, and for a dry run. */
  readonly position: Position | null;
  readonly recordId: RecordId | null;
  readonly erased: readonly ErasedVersions[];
  /** Versions that stay, although all their content is that of an erased one: of a restore, say. */
  readonly sameContent: readonly ErasedVersions[];
}

/** The versions to erase, by record; each list rises. */
export type ErasurePlan = ReadonlyMap<RecordId, readonly Version[]>;

/**
 * What erasing the targets takes. Versions patched on top of an erased one carry its content on, and invalidations
 * that followed from an erased one carry its cause, so they go too. What was erased before is left out.
 *
 * @throws `record-not-found`, `version-not-found`, `argument-invalid` for the record of an erasure
 */
async function planErasure(
  { storage, state, head }: ErasurePlace,
  targets: readonly EraseTarget[],
): Promise<ErasurePlan> {
  const plan = new Map<RecordId, Set<Version>>();
  const roots = new Map<EventId, Position>();
  const add = (recordId: RecordId, version: Version, position: Position): void => {
    const { header, erasure } = mustHaveEntry(state, position);
    if (erasure !== undefined) return;
    plan.set(recordId, (plan.get(recordId) ?? new Set()).add(version));
    if (header.structure.type === "record.invalidated") roots.set(header.id, position);
  };
  for (const target of targets) {
    for (const { version, position } of versionsOf(state, target)) {
      add(target.recordId, version, position);
    }
  }
  if (roots.size > 0) {
    const from = Math.min(...roots.values()) + 1;
    for await (const entries of readEntries(storage, head, { from })) {
      for (const { header } of entries) {
        const { structure, recordId, version, position } = header;
        if (structure.type !== "record.invalidated" || structure.root === null) continue;
        if (roots.has(structure.root.eventId)) add(recordId, version, position);
      }
    }
  }
  for (const [recordId, versions] of plan) addEqualErased(state, recordId, versions);
  return new Map([...plan].map(([id, versions]) => [id, [...versions].toSorted((a, b) => a - b)]));
}

function versionsOf(
  state: State,
  { recordId, version }: EraseTarget,
): readonly { readonly version: Version; readonly position: Position }[] {
  const versions = RecordVersions.of(state, recordId);
  if (versions === undefined) {
    throw new StoreError("record-not-found", `There is no record ${JSON.stringify(recordId)}.`, {
      details: { recordId },
    });
  }
  const all = [...versions.upTo(Infinity)];
  if (versions.document(versions.current).kind === erasureKind) {
    throw new StoreError(
      "argument-invalid",
      `${JSON.stringify(recordId)} records an erasure, and stays.`,
      { details: { recordId } },
    );
  }
  if (version === undefined) return all;
  const chosen = all[version - 1];
  if (chosen === undefined) {
    throw new StoreError(
      "version-not-found",
      `Record ${JSON.stringify(recordId)} has no version ${version}; the last is ${all.length}.`,
      { details: { recordId, version, current: all.length } },
    );
  }
  if (chosen.type === "record.invalidated") return [chosen];
  const later = all.slice(version).filter(({ type }) => type !== "record.invalidated");
  const next = later.findIndex(({ patched }) => !patched);
  return [chosen, ...later.slice(0, next === -1 ? undefined : next)];
}

/**
 * Erased versions may share the digest of content that was there still; when that content goes, they get the same new
 * tag as it.
 */
function addEqualErased(state: State, recordId: RecordId, versions: Set<Version>): void {
  const rows = [
    ...must(RecordVersions.of(state, recordId), "a planned record exists").upTo(Infinity),
  ];
  const going = new Set(
    rows.flatMap(({ version, digest }) =>
      versions.has(version) && digest !== undefined ? [digest.toString("hex")] : [],
    ),
  );
  for (const { version, contentVersion, erased, digest } of rows) {
    if (version !== contentVersion || !erased || digest === undefined) continue;
    if (going.has(digest.toString("hex"))) versions.add(version);
  }
}

/** The plan as it is recorded: contiguous versions of a record as one range. */
function erasedRanges(plan: ErasurePlan): ErasedVersions[] {
  const ranges: { recordId: RecordId; versions: { from: Version; to: Version } }[] = [];
  for (const [recordId, versions] of plan) {
    for (const version of versions) {
      const last = ranges.at(-1);
      if (last?.recordId === recordId && last.versions.to === version - 1) {
        last.versions.to = version;
      } else {
        ranges.push({ recordId, versions: { from: version, to: version } });
      }
    }
  }
  return ranges;
}

/** What is written over, and what is deleted. */
export interface ErasureWrites {
  readonly puts: readonly StorageEntry[];
  readonly deletes: readonly Uint8Array[];
  /** Records whose version blocks are among the puts. */
  readonly recordIds: Iterable<RecordId>;
}

/** A log to which nothing is appended meanwhile. */
export interface ErasurePlace {
  readonly storage: Storage;
  readonly state: State;
  readonly head: Position;
}

/**
 * Erases the targets.
 *
 * @param write stores the event of the erasure at the next position, in one write with what it destroys
 */
export async function eraseContent(
  place: ErasurePlace,
  write: (event: NewEvent, writes: ErasureWrites) => Promise<void>,
  targets: readonly EraseTarget[],
  options: EraseOptions,
): Promise<ErasureResult> {
  checkOptions(options);
  const { cause, actor, dryRun = false } = options;
  const plan = await planErasure(place, targets);
  const erased = erasedRanges(plan);
  const sameContent = erasedRanges(equalStaying(place.state, plan));
  if (dryRun || erased.length === 0) return { position: null, recordId: null, erased, sameContent };
  const recordId = `erasure:${randomUUID()}`;
  const position = place.head + 1;
  const event = created(recordId, erasureDocument({ cause, erased }), { actor });
  const writes = await erasureWrites(place, plan, position);
  await write(event, writes).catch((error: unknown) => throwFitting(error, erased.length));
  return { position, recordId, erased, sameContent };
}

/** An event that cannot name all that is erased is no document that somebody could make smaller. */
function throwFitting(error: unknown, ranges: number): never {
  if (!(error instanceof StoreError) || error.code !== "event-too-large") throw error;
  throw new StoreError(
    "event-too-large",
    `The erasure names ${ranges} ranges of versions, more than one event can hold.`,
    {
      hint: "Erase consequences (--dry-run names them) some thousands at a time, and last the withdrawal they follow from.",
      details: { ...error.details, ranges },
      cause: error,
    },
  );
}

/** The writes that destroy what is planned. @param erasedBy position of the event that records the erasure */
export async function erasureWrites(
  { storage, state }: ErasurePlace,
  plan: ErasurePlan,
  erasedBy: Position,
): Promise<ErasureWrites> {
  const puts: StorageEntry[] = [];
  const deletes: Uint8Array[] = [];
  const positions = new Set<Position>();
  for (const [recordId, planned] of plan) {
    const versions = must(RecordVersions.of(state, recordId), "a planned record exists");
    const tags = contentTags(versions, new Set(planned));
    for (const version of planned) {
      const { position, patched } = must(versions.version(version), "a planned version exists");
      const contentTag = tags.get(version) ?? null;
      const { key, value } = sealed(
        mustHaveEntry(state, position).erased({ erasedBy, contentTag }),
      );
      puts.push([key, value]);
      positions.add(position);
      if (patched) deletes.push(documentKey(position));
    }
    puts.push(...erasedBlocks(state, versions.newestBlock, recordId, tags));
  }
  puts.push(...(await forgottenBatches(storage, state, positions)));
  return { puts, deletes, recordIds: plan.keys() };
}

/** Versions that are not planned, and hold all that a planned one holds. */
function equalStaying(state: State, plan: ErasurePlan): ErasurePlan {
  const equal = new Map<RecordId, Version[]>();
  for (const [recordId, planned] of plan) {
    const versions = must(RecordVersions.of(state, recordId), "a planned record exists");
    const goes = new Set(planned);
    const rows = [...versions.upTo(Infinity)].filter(
      ({ version, contentVersion, erased }) => version === contentVersion && !erased,
    );
    const stay = rows.filter(({ version }) => !goes.has(version));
    if (stay.length === 0) continue;
    const going = new Set(
      rows.filter(({ version }) => goes.has(version)).map((row) => heldText(versions, row)),
    );
    const found = stay.filter((row) => going.has(heldText(versions, row)));
    if (found.length > 0)
      equal.set(
        recordId,
        found.map(({ version }) => version),
      );
  }
  return equal;
}

/** All that an erasure takes from a version. */
function heldText(versions: RecordVersions, row: VersionEntry): string {
  const { name, tags, uris, artifacts, attributes } = versions.document(row);
  return canonicalJson([name, tags, uris, artifacts, attributes]);
}

/** Random tags for the content to be erased: one for all versions whose content is equal, and that of what stays where it is. */
function contentTags(
  versions: RecordVersions,
  planned: ReadonlySet<Version>,
): Map<Version, Uint8Array> {
  const digests = new Map<Version, string>();
  const staying = new Map<string, Uint8Array>();
  for (const row of versions.upTo(Infinity)) {
    if (row.version !== row.contentVersion) continue;
    const digest = row.digest ?? contentDigest(versions.document(row));
    if (planned.has(row.version)) digests.set(row.version, digest.toString("hex"));
    else staying.set(digest.toString("hex"), digest);
  }
  const tags = new Map<Version, Uint8Array>();
  for (const [version, digest] of digests) {
    const tag = staying.get(digest) ?? randomBytes(contentDigestBytes);
    staying.set(digest, tag);
    tags.set(version, tag);
  }
  return tags;
}

/** The blocks of a record in which erased content is named. */
function* erasedBlocks(
  state: State,
  newest: VersionBlock,
  recordId: RecordId,
  tags: ReadonlyMap<Version, Uint8Array>,
): Generator<StorageEntry> {
  for (let index = 0; index < newest.index; index += 1) {
    const block = must(state.olderBlock(recordId, index), "a record has all its blocks");
    const erased = block.withErased(tags);
    if (!erased.bytes.equals(block.bytes)) yield olderBlockPut(recordId, erased);
  }
  const key = blockKey(recordId);
  yield [key, frame(key, newest.withErased(tags).bytes)];
}

/** Idempotency keys whose batches are no longer whole: digests of what was sent would tell of what was erased. */
async function forgottenBatches(
  storage: Storage,
  state: State,
  positions: ReadonlySet<Position>,
): Promise<StorageEntry[]> {
  const puts: StorageEntry[] = [];
  for await (const chunk of storage.scan(idempotencyKeyRange)) {
    for (const [stored] of chunk) {
      const key = idempotencyKeyText(stored);
      const batch = must(state.idempotentBatch(key), "a key that was scanned is there");
      if (!batch.positions.some((position) => positions.has(position))) continue;
      puts.push(idempotencyPut(key, { ...batch, digest: null }));
    }
  }
  return puts;
}
