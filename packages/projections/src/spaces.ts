/**
 * Where projections stand in a storage: a checkpoint under each name, and the space of keys that holds the rows.
 *
 * | key | value |
 * |---|---|
 * | `c`, name | the checkpoint, which names the space |
 * | `p` | stands there while rows that were removed may still be in the files |
 * | `r`, space in 4 bytes, table, 0x00, row key | a row |
 *
 * A rebuild takes a space of its own, so that whoever still reads the old rows never sees half of the new ones.
 */
import { isPlainObject, type Position } from "@sennit/core";
import {
  decodeMessagePack,
  encodeMessagePack,
  frame,
  unframe,
  type Storage,
  type StorageEntry,
} from "@sennit/core/storage";

/** How far a projection has been applied, by which version, and to which log. Written in one batch with the rows. */
export interface Checkpoint {
  readonly version: number;
  /** Number of the space that holds the rows. */
  readonly space: number;
  /** Head of the log when the fold began. Content erased later may still be in the rows. */
  readonly begunAt: Position;
  readonly position: Position;
  /** Hash of the event at that position: another log has another one there. Empty at 0. */
  readonly eventHash: string;
  /** A running digest of every change of a row in order: equal for equal folds, however they were split. */
  readonly stateHash: string;
}

const checkpointLetter = 0x63;
const rowLetter = 0x72;
const purgeKey = Buffer.from("p");
const purgeEntry: StorageEntry = [purgeKey, frame(purgeKey, encodeMessagePack(true))];
const spaceMax = 0xffff_ffff;

/** The state hash of no rows at all. */
export const emptyStateHash = "0000000000000000";

/** The storage entry of a checkpoint. */
export function checkpointEntry(name: string, checkpoint: Checkpoint): StorageEntry {
  const key = checkpointKey(name);
  return [key, frame(key, encodeMessagePack(checkpoint))];
}

/** The checkpoint of a projection, or undefined when there is none that can be read. */
export function readCheckpoint(storage: Storage, name: string): Checkpoint | undefined {
  try {
    const key = checkpointKey(name);
    const value = storage.get(key);
    return value === undefined ? undefined : decodeCheckpoint(key, value);
  } catch {
    return undefined;
  }
}

/** Deletes the checkpoint of a projection if it names another space. @returns true when it did */
export async function forgetOtherSpace(
  storage: Storage,
  name: string,
  space: number,
): Promise<boolean> {
  await storage.readable();
  const stored = readCheckpoint(storage, name);
  if (stored === undefined || stored.space === space) return false;
  await storage.write({ puts: [], deletes: [checkpointKey(name)] });
  return true;
}

/** Bytes before the table in a row's key. */
export const spaceBytes = 5;

/** What the keys of all rows of a space begin with. */
export function spacePrefix(space: number): Buffer {
  const prefix = Buffer.allocUnsafe(spaceBytes);
  prefix[0] = rowLetter;
  prefix.writeUInt32BE(space, 1);
  return prefix;
}

/** A space that nothing stands in and no other call has been given. */
export class SpaceAllocator {
  readonly #storage: Storage;
  /** The last space there was before any was given; read once. */
  #last: Promise<number> | undefined;
  #given = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async allocate(): Promise<number> {
    this.#given += 1;
    const place = this.#given;
    this.#last ??= lastSpace(this.#storage).catch((error: unknown) => {
      // Rows that cannot be read now may be later.
      this.#last = undefined;
      throw error;
    });
    return (await this.#last) + place;
  }
}

/** What must stay. */
export interface SpacesInUse {
  /** The spaces of the projections that are open, by their names. */
  readonly spaces: ReadonlyMap<string, number>;
  /** Rows of other projections stay if their fold began at this head or later: no content was erased since. */
  readonly begunFrom: Position;
}

/**
 * Removes the rows of every space that no checkpoint names and that is not in use, also from the files. Whatever
 * interrupts it, the next call goes on with it.
 *
 * @throws the codes of `Storage.write` and `Storage.recover`, `aborted`
 */
export async function sweepSpaces(
  storage: Storage,
  inUse: () => SpacesInUse,
  signal: AbortSignal,
): Promise<void> {
  await storage.recover();
  await removeVoidCheckpoints(storage, inUse(), signal);
  for (let space = 0; ; space += 1) {
    const next = await firstSpaceFrom(storage, space, signal);
    if (next === undefined) break;
    space = next;
    const named = await namedSpaces(storage, signal);
    const isUsed = named.has(space) || [...inUse().spaces.values()].includes(space);
    if (!isUsed) await removeSpace(storage, space, signal);
  }
  await storage.readable();
  if (storage.get(purgeKey) === undefined) return;
  await storage.compact();
  // LevelDB does not say that a compaction has failed; the next write does.
  await storage.write({ puts: [], deletes: [purgeKey] });
}

/** Nobody keeps the rows of a projection in step that is not open, so content erased since they were made may be in them. */
async function removeVoidCheckpoints(
  storage: Storage,
  { spaces, begunFrom }: SpacesInUse,
  signal: AbortSignal,
): Promise<void> {
  const deletes: Uint8Array[] = [];
  for await (const { key, name, checkpoint } of checkpoints(storage, signal)) {
    // One that cannot be read, or is of a time when they did not say when their fold began, tells nothing.
    const isCurrent = checkpoint !== undefined && checkpoint.begunAt >= begunFrom;
    if (!spaces.has(name) && !isCurrent) deletes.push(key);
  }
  if (deletes.length > 0) await storage.write({ puts: [purgeEntry], deletes });
}

async function removeSpace(storage: Storage, space: number, signal: AbortSignal): Promise<void> {
  const range = { from: spacePrefix(space), until: spacePrefix(space + 1), signal };
  for await (const chunk of storage.scan(range)) {
    await storage.write({ puts: [purgeEntry], deletes: chunk.map(([key]) => key) });
  }
}

async function namedSpaces(storage: Storage, signal: AbortSignal): Promise<Set<number>> {
  const spaces = new Set<number>();
  for await (const { checkpoint } of checkpoints(storage, signal)) {
    if (checkpoint !== undefined) spaces.add(checkpoint.space);
  }
  return spaces;
}

interface StoredCheckpoint {
  readonly key: Uint8Array;
  readonly name: string;
  /** Undefined when it cannot be read. */
  readonly checkpoint: Checkpoint | undefined;
}

async function* checkpoints(
  storage: Storage,
  signal: AbortSignal,
): AsyncGenerator<StoredCheckpoint> {
  const range = {
    from: Buffer.from([checkpointLetter]),
    until: Buffer.from([checkpointLetter + 1]),
    signal,
  };
  for await (const chunk of storage.scan(range)) {
    for (const [key, value] of chunk) {
      const name = Buffer.from(key.buffer, key.byteOffset + 1, key.byteLength - 1).toString();
      let checkpoint: Checkpoint | undefined;
      try {
        checkpoint = decodeCheckpoint(key, value);
      } catch {
        checkpoint = undefined;
      }
      yield { key, name, checkpoint };
    }
  }
}

async function firstSpaceFrom(
  storage: Storage,
  space: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (space > spaceMax) return undefined;
  const range = { from: spacePrefix(space), until: Buffer.from([rowLetter + 1]), limit: 1, signal };
  for await (const [entry] of storage.scan(range)) {
    if (entry !== undefined) return spaceOf(entry[0]);
  }
  return undefined;
}

/** The greatest space in which a row stands. */
async function lastSpace(storage: Storage): Promise<number> {
  const range = {
    from: Buffer.from([rowLetter]),
    until: Buffer.from([rowLetter + 1]),
    reverse: true,
    limit: 1,
  };
  for await (const [entry] of storage.scan(range)) {
    if (entry !== undefined) return spaceOf(entry[0]);
  }
  return 0;
}

function spaceOf(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt32BE(1);
}

function checkpointKey(name: string): Buffer {
  return Buffer.from(`${String.fromCodePoint(checkpointLetter)}${name}`);
}

function decodeCheckpoint(key: Uint8Array, value: Uint8Array): Checkpoint {
  const checkpoint = decodeMessagePack(unframe(key, value, () => "a checkpoint"));
  if (!isPlainObject(checkpoint)) throw new TypeError("A checkpoint is an object.");
  return checkpoint as unknown as Checkpoint;
}
