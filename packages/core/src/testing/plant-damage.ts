/** Plants damage that has a right checksum in a store on disk, so that only a comparison finds it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished } from "vitest";

import { decodeCommit, encodeCommit, type CommitRecord } from "../codec/commit-record.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import { encodeEntry, Entry } from "../codec/entry.ts";
import { frame, unframe } from "../codec/frame.ts";
import { openStoreOn } from "../open-store.ts";
import { commitKey, entryKey, type keySpaces } from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import type { Storage } from "../storage/storage.ts";
import { StorageVerification } from "../verify/verify-storage.ts";
import { eventId, make, revise, withdraw } from "./samples.ts";

/** The head of a plantable store. */
export const head = 600;

/**
 * 600 events: `a` is created with an id of its own, patched 69 times (64 versions in an older block) and withdrawn; `b` is
 * created and replaced; the rest are records of one version.
 */
export async function plantable(): Promise<Storage> {
  const directory = await mkdtemp(join(tmpdir(), "sennit-"));
  const storage = await openLevelStorage(directory);
  onTestFinished(async () => {
    await storage.close();
    await rm(directory, { recursive: true, force: true });
  });
  const store = await openStoreOn(storage);
  const patches = Array.from({ length: 69 }, (_, index) => revise("a", index));
  await store.append([make("a", [], { id: eventId(1) }), ...patches], { idempotencyKey: "first" });
  await store.append([withdraw("a@2"), make("b"), whole("b")]);
  const rest = Array.from({ length: head - 73 }, (_, index) => make(`r${index}`));
  await store.append(rest);
  expect(store.head).toBe(head);
  return storage;
}

function whole(recordId: string) {
  const document = { kind: "thing", name: "replaced", attributes: { value: 1 } };
  return { type: "record.updated", recordId, data: { document } } as const;
}

/** Stores a body with its checksum. */
export async function put(storage: Storage, key: Uint8Array, bytes: Uint8Array): Promise<void> {
  await storage.write({ puts: [[key, frame(key, bytes)]] });
}

/** The body stored under a key. */
export function body(storage: Storage, key: Uint8Array): Buffer {
  const value = storage.get(key);
  if (value === undefined) throw new Error("nothing to change");
  return Buffer.from(unframe(key, value, () => "what is changed"));
}

/** Changes the body under a key, in place or by another one, and gives it the right checksum. */
export async function change(
  storage: Storage,
  key: Uint8Array,
  edit: (bytes: Buffer) => unknown,
): Promise<void> {
  const bytes = body(storage, key);
  const result = edit(bytes);
  await put(storage, key, result instanceof Uint8Array ? result : bytes);
}

/** Deletes a key. */
export async function remove(storage: Storage, key: Uint8Array): Promise<void> {
  await storage.write({ puts: [], deletes: [key] });
}

/** Changes members of the commit record. */
export async function changeCommit(storage: Storage, edit: Partial<CommitRecord>): Promise<void> {
  const commit = decodeCommit(storage.get(commitKey) ?? Buffer.alloc(0));
  await storage.write({ puts: [[commitKey, encodeCommit({ ...commit, ...edit })]] });
}

/** Writes another entry in the place of one, with digest and checksum right. */
export async function changeEntry(
  storage: Storage,
  position: number,
  edit: Partial<EntryHeader>,
): Promise<void> {
  const entry = Entry.decode(position, storage.get(entryKey(position)) ?? Buffer.alloc(0));
  const { key, value } = encodeEntry(
    { ...entry.header, ...edit },
    entry.payload(),
    Buffer.alloc(16, 1),
  );
  await storage.write({ puts: [[key, value]] });
}

/** What verification finds, as `position part code`. */
export async function problemsOf(storage: Storage) {
  const report = await new StorageVerification(storage, undefined).run({});
  expect(report.ok).toBe(report.problemCount === 0);
  return report.problems.map(({ position, part, code }) => `${position} ${part} ${code}`);
}

/** A number as positions and times are stored in blocks. */
export const double = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};

/** A kind of damage. */
export interface Plant {
  readonly what: string;
  readonly space: keyof typeof keySpaces | "none";
  readonly plant: (storage: Storage) => Promise<void>;
  readonly found: readonly string[];
}
