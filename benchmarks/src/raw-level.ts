/** The peer: a bare `level` database that is given the very keys and bytes our log writes and reads. */
import type { Storage, WriteBatch } from "@sennit/core";
import { Level } from "level";

/** A database of bytes under bytes. */
export type RawLevel = Level<Uint8Array, Uint8Array>;

/** Opens a database with the same settings as a store's log has. */
export async function openRawLevel(directory: string): Promise<RawLevel> {
  const level = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: "view",
    valueEncoding: "view",
    writeBufferSize: 16 * 1024 * 1024,
    cacheSize: 32 * 1024 * 1024,
    blockSize: 16 * 1024,
  });
  await level.open();
  return level;
}

/** Writes one batch, synced: the fastest way `level` has, a chained batch. */
export async function writeRaw(level: RawLevel, { puts, deletes = [] }: WriteBatch): Promise<void> {
  const batch = level.batch();
  for (const [key, value] of puts) batch.put(key, value);
  for (const key of deletes) batch.del(key);
  await batch.write({ sync: true });
}

/** What passed through a recorded storage, in order. */
export interface Recording {
  readonly writes: WriteBatch[];
  readonly reads: Uint8Array[];
}

/** Puts a storage behind one that also notes every batch written and every key read. */
export function record(storage: Storage): {
  readonly storage: Storage;
  readonly recording: Recording;
} {
  const recording: Recording = { writes: [], reads: [] };
  const noted: Pick<Storage, "get" | "write"> = {
    get(key) {
      recording.reads.push(key);
      return storage.get(key);
    },
    write(batch) {
      recording.writes.push(batch);
      return storage.write(batch);
    },
  };
  const passOn = (name: string | symbol): unknown => {
    const member: unknown = Reflect.get(storage, name);
    return typeof member === "function" ? member.bind(storage) : member;
  };
  const get = (_: Storage, name: string | symbol) => Reflect.get(noted, name) ?? passOn(name);
  return { recording, storage: new Proxy(storage, { get }) };
}
