/** Takes a backup of a log that may be appended to meanwhile, or brings one up to date, and reads it back. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { throwIfAborted } from "../abort.ts";
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import { isStoreError } from "../errors.ts";
import { erasureKind, readErasureNote } from "../event/erasure.ts";
import type { Position } from "../ids.ts";
import { readIdempotencyKeys } from "../log/copy-log.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import { findVersion, wholeDocument } from "../records/versions.ts";
import type { Storage } from "../storage/storage.ts";
import { fileError, listDirectory, logName } from "../store-directory.ts";
import { BackupFileWriter, readBackupFile, verifyDigest, verifySize } from "./files.ts";
import {
  backupManifest,
  readBackupManifest,
  segmentsName,
  writeBackupManifest,
  type BackedUpHead,
  type BackupFile,
  type BackupManifest,
  type BackupSegment,
} from "./manifest.ts";
import { assertNew, assertOutside, beginningOf } from "./beginning.ts";
import { copyKeyPair } from "./key-pair.ts";
import { lockBackup } from "./lock.ts";
import { removeFile, verifySegment, writeSegments } from "./segments.ts";

/** Entries of one segment. */
const segmentEntriesMax = 50_000;

export interface BackupOptions {
  /**
   * A new backup begins after this position; restoring it takes one that holds what comes before. Default: at the
   * beginning. A directory that holds a backup is gone on with where that ends.
   */
  readonly since?: Position | undefined;
  /** Keep the store's private key with the backup. Default true. */
  readonly signingKey?: boolean | undefined;
  /** The directory whose key pair is kept, of the store that this one is a copy of. Default: this store's. */
  readonly keysOf?: string | undefined;
  /** Look at the size of segments that are there already, and do not read them. Default false. */
  readonly quick?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the position reached. */
  readonly onProgress?: ((position: Position) => void) | undefined;
  /** Entries of one segment file at most. Default 50,000. */
  readonly segmentEntriesMax?: number | undefined;
}

/**
 * What a run of a backup did. Everything it wrote has been read back from the disk and compared with the log, and all
 * else it holds has been read and is as it was written, but for what `unread` counts.
 */
export interface BackupResult {
  readonly directory: string;
  readonly storeId: string;
  /** The backup holds the positions after this one; 0 for all. */
  readonly since: Position;
  readonly head: Position;
  /** The Merkle root at the head, 64 hexadecimal digits. */
  readonly root: string;
  /** Events added by this run. */
  readonly added: number;
  /** Events added or written anew that were read back and lead to the root. */
  readonly verified: number;
  /** Events of earlier runs whose files were read and are, byte for byte, as they were written. */
  readonly reread: number;
  /** Events of earlier runs whose files were not read: none without `quick`. */
  readonly unread: number;
  /** Segments written anew because something in them had been erased. */
  readonly rewritten: number;
  readonly segments: number;
  readonly bytes: number;
  readonly idempotencyKeys: number;
  /** True when the backup holds the private key. */
  readonly signingKey: boolean;
}

/** What is backed up. */
export interface BackupSource {
  readonly storeId: string;
  readonly log: EmbeddedLog;
  /** The log's own. */
  readonly storage: Storage;
  /** Where the store's keys are; undefined when it lives in memory. */
  readonly directory: string | undefined;
}

/**
 * Takes a backup into a directory that is new, empty, or holds a backup of the same log. Until the last step the backup
 * there is the one before.
 *
 * @throws `directory-not-empty`, `backup-of-another-store`, `backup-diverged`, `backup-damaged`, `backup-invalid`,
 * `backup-locked`, `argument-invalid`, `disk-full`, `aborted`; what is wrong with a damaged log
 */
export async function takeBackup(
  source: BackupSource,
  location: string,
  options: BackupOptions = {},
): Promise<BackupResult> {
  const directory = resolve(location);
  try {
    await assertOutside(source.directory, directory);
    await assertOutside(options.keysOf, directory);
    const before = await readBackupManifest(directory);
    if (before === undefined) await assertNew(directory);
    const { damage } = source.log;
    if (damage?.category === "corrupt") throw damage;
    beginningOf(source, before, options);
    await mkdir(join(directory, segmentsName), { recursive: true });
    const unlock = await lockBackup(directory);
    try {
      // Another process may have gone on with it before the lock was ours.
      const current = await readBackupManifest(directory);
      const base = beginningOf(source, current, options);
      return await new BackupRun(source, directory, options, current, base).run();
    } finally {
      await unlock();
    }
  } catch (error) {
    throw isStoreError(error) ? error : fileError(error, `Cannot back up to ${directory}`);
  }
}

/** One run: it writes what is new, writes anew what was erased, reads all of that back, and then says so. */
class BackupRun {
  readonly #source: BackupSource;
  readonly #directory: string;
  readonly #options: BackupOptions;
  readonly #before: BackupManifest | undefined;
  readonly #base: BackedUpHead;
  /** The position to reach. */
  #head: Position;
  #segments: BackupSegment[];
  /** Segments this run wrote. */
  readonly #written = new Set<BackupSegment>();
  #rewritten = 0;
  /** Positions written by this run without content, and where that erasure is recorded. */
  readonly #erasedAs = new Map<Position, Position>();
  /** Positions whose content an erasure that the backup now holds has destroyed. */
  readonly #stale = new Set<Position>();
  readonly #replaced: Set<Position>;

  constructor(
    source: BackupSource,
    directory: string,
    options: BackupOptions,
    before: BackupManifest | undefined,
    base: BackedUpHead,
  ) {
    this.#source = source;
    this.#directory = directory;
    this.#options = options;
    this.#before = before;
    this.#base = base;
    this.#head = source.log.head;
    this.#segments = [...(before?.segments ?? [])];
    this.#replaced = new Set(before?.replaced?.positions);
  }

  async run(): Promise<BackupResult> {
    let reached = this.#before?.head ?? this.#base.head;
    const start = reached;
    while (reached < this.#head || this.#stale.size > 0) {
      const segments = await this.#write(reached + 1, this.#head);
      this.#segments.push(...segments);
      reached = this.#segments.at(-1)?.to ?? reached;
      await this.#rewriteStale();
    }
    const { storeId, log } = this.#source;
    const [idempotencyKeys, replaced] = [await this.#writeKeys(), await this.#writeReplaced()];
    const signingKey = await this.#copyKeys();
    const verified = await this.#verify([
      idempotencyKeys,
      ...(replaced === null ? [] : [replaced]),
    ]);
    const root = log.proofs.rootFromTiles(reached).toString("hex");
    const parts = { base: this.#base, head: reached, root };
    const earlier = await this.#verifyEarlier();
    const manifest = backupManifest(storeId, {
      ...parts,
      segments: this.#segments,
      idempotencyKeys,
      replaced,
    });
    await writeBackupManifest(this.#directory, manifest);
    await this.#removeOthers(manifest);
    return {
      directory: this.#directory,
      storeId,
      since: this.#base.head,
      head: reached,
      root,
      added: reached - start,
      verified,
      ...earlier,
      rewritten: this.#rewritten,
      segments: this.#segments.length,
      bytes: filesOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0),
      idempotencyKeys: idempotencyKeys.count,
      signingKey,
    };
  }

  async #write(from: Position, to: Position): Promise<BackupSegment[]> {
    const segments: BackupSegment[] = [];
    if (from > to) return segments;
    const max = this.#options.segmentEntriesMax ?? segmentEntriesMax;
    const { storeId } = this.#source;
    for await (const segment of writeSegments(
      this.#directory,
      storeId,
      max,
      this.#read(from, to),
    )) {
      segments.push(segment);
      this.#written.add(segment);
    }
    return segments;
  }

  async *#read(from: Position, until: Position): AsyncGenerator<readonly Entry[]> {
    const { log } = this.#source;
    const { signal, onProgress } = this.#options;
    for await (const entries of log.readEntries({ from, until, signal })) {
      for (const entry of entries) this.#note(entry);
      yield entries;
      onProgress?.(entries.at(-1)?.header.position ?? from);
    }
  }

  /** Learns of erasures: of this entry, and by it. */
  #note(entry: Entry): void {
    const { position, structure } = entry.header;
    const { log } = this.#source;
    if (entry.erasure !== undefined) {
      this.#erasedAs.set(position, entry.erasure.erasedBy);
      // The backup must not end before the record of what is erased in it.
      if (entry.erasure.erasedBy > this.#head) this.#head = log.head;
      return;
    }
    if (structure.type !== "record.created" || structure.kind !== erasureKind) return;
    const erased = readErasureNote(wholeDocument(entry).attributes)?.erased ?? [];
    for (const { recordId, versions } of erased) {
      for (let version = versions.from; version <= versions.to; version += 1) {
        const at = findVersion(log.state, { recordId, version })?.position;
        const asWritten = at === undefined ? undefined : this.#erasedAs.get(at);
        if (at !== undefined && (asWritten ?? 0) < position) this.#stale.add(at);
      }
    }
  }

  /** Writes the segments anew that hold what has been erased since they were written. */
  async #rewriteStale(): Promise<void> {
    const stale = [...this.#stale];
    this.#stale.clear();
    const holders = new Set<BackupSegment>();
    for (const position of stale) {
      if (position <= this.#base.head) {
        this.#replaced.add(position);
        continue;
      }
      const holder = this.#segments.find(({ from, to }) => from <= position && position <= to);
      holders.add(must(holder, "an erasure stands after what it erased"));
    }
    for (const holder of holders) {
      const segments = await this.#write(holder.from, holder.to);
      this.#segments.splice(this.#segments.indexOf(holder), 1, ...segments);
      if (this.#written.delete(holder)) await removeFile(this.#directory, holder.file);
      this.#rewritten += 1;
    }
  }

  async #writeKeys(): Promise<BackupManifest["idempotencyKeys"]> {
    const { storage, storeId } = this.#source;
    const name = "idempotency-keys";
    const writer = await BackupFileWriter.create(this.#directory, name, storeId);
    let count = 0;
    try {
      for await (const chunk of readIdempotencyKeys(storage, this.#options.signal)) {
        for (const [key, batch] of chunk) {
          // Batches appended meanwhile are no part of what is backed up.
          if (batch.positions.some((position) => position > this.#head)) continue;
          await writer.add({ type: "key", key, batch });
          count += 1;
        }
      }
    } catch (error) {
      await writer.discard();
      throw error;
    }
    return { ...(await writer.finish(name)), count };
  }

  /** What another backup holds of the content that has been erased since. */
  async #writeReplaced(): Promise<BackupManifest["replaced"]> {
    if (this.#replaced.size === 0) return null;
    const { log, storeId } = this.#source;
    const positions = [...this.#replaced].toSorted((a, b) => a - b);
    const writer = await BackupFileWriter.create(this.#directory, "replaced", storeId);
    for (const position of positions) {
      const entry = log.state.entry(position);
      if (entry !== undefined) await writer.add({ type: "entry", entry });
    }
    return { ...(await writer.finish("replaced")), positions };
  }

  /** Copies the store's key pair. @returns true when the private key is in the backup */
  async #copyKeys(): Promise<boolean> {
    const home = this.#options.keysOf ?? this.#source.directory;
    const isWanted = this.#options.signingKey !== false && home !== undefined;
    await copyKeyPair(home, this.#directory, isWanted, logName(this.#source.storeId));
    return isWanted;
  }

  /** Reads back what this run wrote. @returns events that lead to the root */
  async #verify(files: readonly BackupFile[]): Promise<number> {
    const { storeId, log } = this.#source;
    let events = 0;
    for (const segment of this.#written) {
      throwIfAborted(this.#options.signal);
      await verifySegment(this.#directory, segment, storeId, log.proofs);
      events += segment.to - segment.from + 1;
    }
    for (const file of files) {
      for await (const _item of readBackupFile(this.#directory, file, storeId));
    }
    return events;
  }

  /** Reads what earlier runs wrote, whose events led to the root then: the same bytes do so now. */
  async #verifyEarlier(): Promise<{ readonly reread: number; readonly unread: number }> {
    const { quick, signal } = this.#options;
    let events = 0;
    for (const segment of this.#segments) {
      throwIfAborted(signal);
      if (this.#written.has(segment)) continue;
      if (quick === true) await verifySize(this.#directory, segment);
      else await verifyDigest(this.#directory, segment, signal);
      events += segment.to - segment.from + 1;
    }
    return quick === true ? { reread: 0, unread: events } : { reread: events, unread: 0 };
  }

  /** Removes what no manifest names: files of a run that was cut short, and segments that held what was erased. */
  async #removeOthers(manifest: BackupManifest): Promise<void> {
    const named = new Set(filesOf(manifest).map(({ file }) => file));
    const inSegments = (await listDirectory(join(this.#directory, segmentsName))) ?? [];
    const beside = ((await listDirectory(this.#directory)) ?? []).filter((name) =>
      /^(idempotency-keys|replaced)[-.]/.test(name),
    );
    for (const file of [...inSegments.map((name) => `${segmentsName}/${name}`), ...beside]) {
      if (!named.has(file)) await removeFile(this.#directory, file);
    }
  }
}

function filesOf({ segments, idempotencyKeys, replaced }: BackupManifest): readonly BackupFile[] {
  return [...segments, idempotencyKeys, ...(replaced === null ? [] : [replaced])];
}
