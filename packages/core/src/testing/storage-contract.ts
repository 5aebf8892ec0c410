/** What every `Storage` must do, as tests that run against any implementation. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isStoreError } from "../errors.ts";
import type { KeyRange, Storage, StorageEntry } from "../storage/storage.ts";

/** A storage under test, and what removes it afterwards. */
export interface OpenedStorage {
  readonly storage: Storage;
  readonly remove: () => Promise<void>;
}

const bytes = (text: string): Buffer => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
const puts = (...keys: readonly string[]): StorageEntry[] =>
  keys.map((key) => [bytes(key), bytes(`value of ${key}`)]);

/** The code of the error a call fails with. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return isStoreError(error) ? error.code : `not a StoreError: ${String(error)}`;
  }
  return "no error";
}

async function keysOf(storage: Storage, range: KeyRange): Promise<string[]> {
  const keys: string[] = [];
  for await (const chunk of storage.scan(range)) {
    for (const [key] of chunk) keys.push(Buffer.from(key).toString());
  }
  return keys;
}

/** Declares the contract's tests. `open` gives a new, empty storage each time. */
export function runStorageContract(name: string, open: () => Promise<OpenedStorage>): void {
  describe(`${name} storage`, () => {
    let opened: OpenedStorage;
    let storage: Storage;
    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(async () => {
      await storage.close();
      await opened.remove();
    });
    const all = { from: Buffer.alloc(0), until: Buffer.from([0xff]) };

    declareWriteTests(() => storage, all);
    declareScanTests(() => storage, all);
    declareLifecycleTests(() => storage, all);
  });
}

type Current = () => Storage;

function declareWriteTests(storage: Current, all: KeyRange): void {
  test("a written value is read back, an unknown key is undefined", async () => {
    await storage().write({ puts: puts("a") });
    expect(text(storage().get(bytes("a")))).toBe("value of a");
    expect(storage().get(bytes("b"))).toBeUndefined();
  });

  test("a later write replaces a value and deletes a key", async () => {
    await storage().write({ puts: puts("a", "b") });
    await storage().write({
      puts: [[bytes("a"), bytes("new")]],
      deletes: [bytes("b"), bytes("c")],
    });
    expect(text(storage().get(bytes("a")))).toBe("new");
    expect(await keysOf(storage(), all)).toEqual(["a"]);
  });

  test("a batch is seen whole after its write resolves, and writes land in order", async () => {
    const writes = Array.from({ length: 20 }, (_, index) =>
      storage().write({ puts: [...puts(`key-${index}`), [bytes("last"), bytes(`${index}`)]] }),
    );
    await Promise.all(writes);
    expect(text(storage().get(bytes("last")))).toBe("19");
    expect(await keysOf(storage(), all)).toHaveLength(21);
  });

  test("bytes changed by the caller after a write do not change what is stored", async () => {
    const [key, value] = [bytes("a"), bytes("before")];
    await storage().write({ puts: [[key, value]] });
    value.fill(0);
    key.fill(0);
    expect(text(storage().get(bytes("a")))).toBe("before");
  });

  test("a value that was read stays as it was when the key is written again", async () => {
    await storage().write({ puts: [[bytes("a"), bytes("before")]] });
    const read = storage().get(bytes("a"));
    await storage().write({ puts: [[bytes("a"), bytes("beyond")]] });
    expect(text(read)).toBe("before");
  });

  test("empty values and keys of any byte are kept", async () => {
    const keys = [
      Buffer.from([0]),
      Buffer.from([0, 0]),
      Buffer.from([0x7f]),
      Buffer.from([0x80, 0xff]),
    ];
    await storage().write({ puts: keys.map((key) => [key, Buffer.alloc(0)]) });
    expect(keys.map((key) => storage().get(key)?.length)).toEqual([0, 0, 0, 0]);
    const found: string[] = [];
    for await (const chunk of storage().scan(all)) {
      for (const [key] of chunk) found.push(Buffer.from(key).toString("hex"));
    }
    expect(found).toEqual(["00", "0000", "7f", "80ff"]);
  });
}

function declareScanTests(storage: Current, all: KeyRange): void {
  test("a scan is in byte order and half open", async () => {
    await storage().write({ puts: puts("c", "a", "d", "b") });
    expect(await keysOf(storage(), { from: bytes("b"), until: bytes("d") })).toEqual(["b", "c"]);
    expect(await keysOf(storage(), { from: bytes("aa"), until: bytes("cc") })).toEqual(["b", "c"]);
  });

  test("a reverse scan has the same range, last key first", async () => {
    await storage().write({ puts: puts("a", "b", "c", "d") });
    const range = { from: bytes("b"), until: bytes("d"), reverse: true };
    expect(await keysOf(storage(), range)).toEqual(["c", "b"]);
  });

  test("a limit counts from the end the scan starts at", async () => {
    await storage().write({ puts: puts("a", "b", "c", "d") });
    expect(await keysOf(storage(), { ...all, limit: 2 })).toEqual(["a", "b"]);
    expect(await keysOf(storage(), { ...all, limit: 3, reverse: true })).toEqual(["d", "c", "b"]);
    expect(await keysOf(storage(), { ...all, limit: 0 })).toEqual([]);
    expect(await keysOf(storage(), { ...all, limit: 9 })).toHaveLength(4);
  });

  test("an empty or inverted range holds nothing", async () => {
    await storage().write({ puts: puts("a", "b") });
    expect(await keysOf(storage(), { from: bytes("b"), until: bytes("b") })).toEqual([]);
    expect(await keysOf(storage(), { from: bytes("b"), until: bytes("a") })).toEqual([]);
    expect(await keysOf(storage(), { from: bytes("x"), until: bytes("z") })).toEqual([]);
  });

  test("a long scan comes in several chunks, whole and in order", async () => {
    const keys = Array.from({ length: 3500 }, (_, index) => String(index).padStart(5, "0"));
    await storage().write({ puts: puts(...keys) });
    let chunks = 0;
    const found: string[] = [];
    for await (const chunk of storage().scan(all)) {
      chunks += 1;
      for (const [key, value] of chunk) {
        expect(text(value)).toBe(`value of ${text(key)}`);
        found.push(Buffer.from(key).toString());
      }
    }
    expect(found).toEqual(keys);
    expect(chunks).toBeGreaterThan(1);
    expect(await keysOf(storage(), { ...all, reverse: true })).toEqual(keys.toReversed());
  });

  test("a scan left early can be followed by another", async () => {
    await storage().write({ puts: puts("a", "b") });
    for await (const chunk of storage().scan(all)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(await keysOf(storage(), all)).toEqual(["a", "b"]);
  });

  test("a key written during a scan is seen whole or not at all", async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => String(index).padStart(5, "0"));
    await storage().write({ puts: puts(...keys) });
    const found: string[] = [];
    let isWritten = false;
    for await (const chunk of storage().scan(all)) {
      if (!isWritten) await storage().write({ puts: puts("99998", "99999") });
      isWritten = true;
      for (const [key] of chunk) found.push(Buffer.from(key).toString());
    }
    const seen = found.slice(keys.length);
    expect(found.slice(0, keys.length)).toEqual(keys);
    expect([[], ["99998", "99999"]]).toContainEqual(seen);
  });
}

function declareLifecycleTests(storage: Current, all: KeyRange): void {
  test("a scan with a fired signal is aborted, also between chunks and over nothing", async () => {
    const fired = AbortSignal.abort();
    expect(await codeOf(() => keysOf(storage(), { ...all, signal: fired }))).toBe("aborted");
    const keys = Array.from({ length: 2500 }, (_, index) => String(index).padStart(5, "0"));
    await storage().write({ puts: puts(...keys) });
    const abort = new AbortController();
    let chunks = 0;
    const scan = async (): Promise<void> => {
      for await (const _chunk of storage().scan({ ...all, signal: abort.signal })) {
        chunks += 1;
        abort.abort();
      }
    };
    expect(await codeOf(scan)).toBe("aborted");
    expect(chunks).toBe(1);
  });

  test("a closed storage refuses everything, and closing again does nothing", async () => {
    await storage().write({ puts: puts("a") });
    await storage().close();
    await storage().close();
    expect(await codeOf(() => storage().get(bytes("a")))).toBe("store-closed");
    expect(await codeOf(() => storage().write({ puts: puts("b") }))).toBe("store-closed");
    expect(await codeOf(() => keysOf(storage(), all))).toBe("store-closed");
  });

  test("recovering without a failed write does nothing, and a closed storage does not recover", async () => {
    await storage().write({ puts: puts("a") });
    await storage().recover();
    expect(storage().readable()).toBeUndefined();
    expect(text(storage().get(bytes("a")))).toBe("value of a");
    await storage().close();
    expect(await codeOf(() => storage().recover())).toBe("store-closed");
  });

  test("closing during a scan ends the scan with an error", async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => String(index).padStart(5, "0"));
    await storage().write({ puts: puts(...keys) });
    const scan = async (): Promise<void> => {
      for await (const _chunk of storage().scan(all)) await storage().close();
    };
    expect(await codeOf(scan)).toBe("store-closed");
  });
}
