/** The description of the stored bytes is true: its worked example is decoded by hand and opened as a store. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  created,
  isStoreError,
  openLevelStorage,
  openMemoryStorage,
  openMemoryStore,
  openStore,
  openStoreOn,
  type StorageEntry,
} from "@sennit/core";
import { crc32c, decodeMessagePack, encodeMessagePack, unframe } from "@sennit/core/storage";
import { FakeClock, withTemporaryDirectory } from "@sennit/core/testing";
import { openViews } from "@sennit/projections";
import { expect, test } from "vitest";

import { codeIn, sectionOf, tablesOf, type Table } from "./support/markdown.ts";
import { readText } from "./support/repository.ts";

const page = readText("docs/internals/storage-format.md");

/** One key with its value, as the worked example spells them out. */
interface Example {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Bytes by the text that explains them. */
  readonly parts: ReadonlyMap<string, Buffer>;
}

const examples: readonly Example[] = tablesOf(sectionOf(page, "Worked example").text).map(
  ({ rows }) => {
    const parts = rows.map(
      (row) =>
        [
          row["Meaning"] ?? "",
          Buffer.from((row["Bytes"] ?? "").replaceAll(/[` ]/g, ""), "hex"),
        ] as const,
    );
    const [[, key] = ["", Buffer.alloc(0)], ...rest] = parts;
    return { key, value: Buffer.concat(rest.map(([, bytes]) => bytes)), parts: new Map(parts) };
  },
);

/** The letters in one column of a table. */
function letters(table: Table | undefined, column: string): string[] {
  return (table?.rows ?? []).map((row) => codeIn(row[column] ?? ""));
}

function example(space: string): Example {
  const found = examples.find(({ key }) => key[0] === space.charCodeAt(0));
  if (found === undefined) throw new Error(`The worked example has no key in space ${space}.`);
  return found;
}

test("the worked example shows an entry, a version block and the commit record", () => {
  expect(examples.map(({ key }) => String.fromCharCode(key[0] ?? 0))).toEqual(["E", "D", "C"]);
});

test("every value of the worked example begins with the CRC-32C of its key and body", () => {
  for (const { key, value } of examples) {
    const checksum = crc32c(Buffer.concat([key, value.subarray(4)]));
    expect(value.readUInt32LE(0)).toBe(checksum);
  }
});

test("the worked entry holds the members in the order described", () => {
  const { value, parts } = example("E");
  const headerEnd = 8 + value.readUInt32LE(4);
  const headerBytes = value.subarray(8, headerEnd);
  const payloadBytes = value.subarray(headerEnd);
  const header = decodeMessagePack(headerBytes) as unknown[];
  const [salt, content] = decodeMessagePack(payloadBytes) as [Uint8Array, unknown];
  const digest = createHash("sha256").update(payloadBytes).digest();
  const uuid = Buffer.from("019cadfd89007000800000000509760e", "hex");
  expect(header).toEqual([
    2,
    1,
    1_772_445_600_000_000,
    1,
    0,
    uuid,
    "cfg-1",
    1,
    ["config", []],
    digest,
  ]);
  expect(content).toEqual({ actor: "maria", data: { name: "run 7", attributes: { energy: 8.3 } } });
  expect(Buffer.from(salt)).toEqual(parts.get("salt")?.subarray(2));
  const names = tablesOf(sectionOf(page, "Log entry").text).find(
    ({ columns }) => columns[0] === "Member",
  );
  expect(names?.rows).toHaveLength(header.length);
});

test("the leaf hash named is that of the worked header", () => {
  const { value } = example("E");
  const headerBytes = value.subarray(8, 8 + value.readUInt32LE(4));
  const leaf = createHash("sha256")
    .update(Buffer.from([0]))
    .update(headerBytes)
    .digest("hex");
  expect(sectionOf(page, "Worked example").text).toContain(`\`${leaf}\``);
});

test("a store opened on the worked bytes holds the event described and passes verification", async () => {
  const storage = openMemoryStorage();
  await storage.write({ puts: examples.map(({ key, value }) => [key, value] as const) });
  const store = await openStoreOn(storage);
  const record = await store.record("cfg-1");
  expect(record).toMatchObject({ kind: "config", name: "run 7", attributes: { energy: 8.3 } });
  expect(record).toMatchObject({ actor: "maria", recordedAt: "2026-03-02T10:00:00.000000Z" });
  expect(await store.verify()).toMatchObject({ ok: true, events: 1, records: 1 });
});

test("the code writes the worked bytes, but for what is random", async () => {
  const storage = openMemoryStorage();
  const store = await openStoreOn(storage, { clock: new FakeClock("2026-03-02T10:00:00Z") });
  const document = { kind: "config", name: "run 7", attributes: { energy: 8.3 } };
  await store.append([created("cfg-1", document, { actor: "maria" })]);
  expect(storage.get(example("D").key)).toEqual(Uint8Array.from(example("D").value));
  // Checksum, tail of the id, digest and salt differ from one writing to the next, and with them the leaf in the frontier.
  const hashEnd = example("C").value.length - 32;
  const written = storage.get(example("C").key)?.subarray(4, hashEnd);
  expect(written).toEqual(Uint8Array.from(example("C").value.subarray(4, hashEnd)));
  expect(storage.get(example("E").key)).toHaveLength(example("E").value.length);
});

test("a store with one bit of the worked entry flipped is refused, wherever the bit is", async () => {
  const { key, value } = example("E");
  for (let index = 0; index < value.length; index += 1) {
    const flipped = Buffer.from(value);
    flipped[index] = (flipped[index] ?? 0) ^ 1;
    const storage = openMemoryStorage();
    const others = examples
      .filter((other) => other.key !== key)
      .map((other) => [other.key, other.value] as const);
    await storage.write({ puts: [...others, [key, flipped]] });
    const store = await openStoreOn(storage);
    const code = await store.record("cfg-1").then(
      () => "no error",
      (error: unknown) => (isStoreError(error) ? error.code : String(error)),
    );
    expect([index, code]).toEqual([index, "checksum-mismatch"]);
  }
});

test("the layouts of the version block are without gaps and add up to the worked block", () => {
  const [header, entry] = tablesOf(sectionOf(page, "Version block").text);
  const sizes = [header, entry].map((table) => {
    let end = 0;
    for (const row of table?.rows ?? []) {
      expect(Number(row["Offset"])).toBe(end);
      end += Number(row["Bytes"]);
    }
    return end;
  });
  expect(sizes).toEqual([24, 56]);
  expect(example("D").value).toHaveLength(4 + 24 + 56);
});

test("the bits of an event id are 128", () => {
  const [table] = tablesOf(sectionOf(page, "Event ids").text);
  const bits = (table?.rows ?? []).map((row) => Number(row["Bits"]));
  expect(bits.reduce((sum, count) => sum + count, 0)).toBe(128);
});

test("an id made by the store carries its position where the page says", async () => {
  const store = await openMemoryStore({ clock: new FakeClock("2026-03-02T10:00:00Z") });
  for (let count = 1; count <= 70; count += 1) {
    const { events } = await store.append([created(`r-${count}`, { kind: "k", name: "n" })]);
    const bits = BigInt(`0x${events[0]?.eventId.replaceAll("-", "")}`);
    const low = (bits >> 26n) & ((1n << 36n) - 1n);
    const high = (bits >> 64n) & 0xfffn;
    expect((high << 36n) + low).toBe(BigInt(count));
    expect(bits >> 80n).toBe(BigInt(Date.parse("2026-03-02T10:00:00Z")));
  }
});

test("the key spaces are the ones the code describes", () => {
  const source = readText("packages/core/src/storage/keyspace.ts");
  const [declared] = tablesOf(source.replaceAll(/^ \* ?/gm, ""));
  const [documented] = tablesOf(sectionOf(page, "Keys").text);
  expect(letters(documented, "Space")).toEqual(letters(declared, "space"));
  expect(letters(declared, "space").length).toBeGreaterThan(0);
});

test("the views hold a checkpoint with the members described, and rows under the keys described", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([created("cfg-1", { kind: "config", name: "run 7" })]);
    const views = await openViews(store);
    await views.caughtUp();
    await views.close();
    await store.close();
    const [, builds = ""] = (await readFile(join(directory, "views", "builds.json"), "utf8")).split(
      "\n",
    );
    expect(Object.keys(JSON.parse(builds) as object)).toContain("records");
    const { serving } =
      (JSON.parse(builds) as Record<string, { serving: { directory: string } }>)["records"] ?? {};
    const storage = await openLevelStorage(join(directory, "views", serving?.directory ?? ""));
    const entries: StorageEntry[] = [];
    const everything = { from: Buffer.from([0]), until: Buffer.from([255]) };
    for await (const chunk of storage.scan(everything)) entries.push(...chunk);
    await storage.close();
    const [[key, value] = [Buffer.alloc(0), Buffer.alloc(4)], ...rows] = entries;
    const checkpoint = decodeMessagePack(unframe(key, value, () => "checkpoint")) as object;
    const table = tablesOf(sectionOf(page, "Views").text).find(
      ({ columns }) => columns[0] === "Checkpoint",
    );
    expect(Buffer.from(key).toString()).toBe("c");
    expect(Object.keys(checkpoint)).toEqual(letters(table, "Checkpoint"));
    expect(rows.length).toBeGreaterThan(0);
    for (const [rowKey, rowValue] of rows) {
      expect(Buffer.from(rowKey).subarray(0, 1).toString()).toBe("r");
      const [name = "", ...parts] = Buffer.from(rowKey).subarray(1).toString("latin1").split("\0");
      expect(name).toMatch(/^[a-z-]+$/);
      expect([0x10, 0x11, 0x20, 0x30]).toContain(parts[0]?.charCodeAt(0));
      expect(() => unframe(rowKey.subarray(1), rowValue, () => "row")).not.toThrow();
    }
  });
});

test("stored values are plain MessagePack without extensions", () => {
  const bytes = encodeMessagePack({ a: [1, "x", null, true, 1.5], b: {} });
  expect(bytes.toString("hex")).toBe("82a1619501a178c0c3cb3ff8000000000000a16280");
});
