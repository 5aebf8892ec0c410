/** An export brings back the same store, byte for byte; a file that is not whole or not true brings back none. */
import { cpSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { encodeEntry, type Entry } from "../codec/entry.ts";
import { created, invalidated, updated } from "../event/event.ts";
import { LogCopy } from "../log/log-copy.ts";
import { openStore, openStoreOn, renewSigningKey } from "../open-store.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import type { EmbeddedStore } from "../store.ts";
import { histories } from "../testing/arbitraries.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { contentsOf, fillStore } from "../testing/fill-store.ts";
import { propertySettings } from "../testing/settings.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { exportForms, type ExportFormName, type ExportOptions } from "./export-log.ts";
import { importStore } from "./import-log.ts";

const image = join(import.meta.dirname, "../../../../test/fixtures/stores/format-1-entry-1/store");

async function exported(store: EmbeddedStore, options: ExportOptions): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of store.export(options)) parts.push(part);
  return Buffer.concat(parts);
}

/** The bytes in small pieces of uneven size, as a slow reader gets them. */
async function* pieces(bytes: Buffer, size = 997): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

async function fillFew(store: EmbeddedStore): Promise<void> {
  const dataset = (name: string) => ({ kind: "dataset", name });
  await store.append([created("a", dataset("a")), created("b", dataset("b"))]);
  await store.append([updated("a", { tags: { x: 1 } })], { idempotencyKey: "third" });
  await store.append([
    created("c", { ...dataset("c"), derivedFrom: [{ recordId: "b", role: "input" }] }),
  ]);
  await store.append([invalidated("b", { cause: "wrong" })], { idempotencyKey: "fourth" });
}

async function withExport(
  format: ExportFormName,
  use: (bytes: Buffer, directory: string) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(join(directory, "source"), {
      clock: new FakeClock("2026-03-02T10:00:00Z"),
    });
    await fillFew(store);
    const bytes = await exported(store, { format });
    await store.close();
    await use(bytes, directory);
  });
}

test.each(exportForms)(
  "%s: any history comes back with the same root and every stored byte, and is exported as the same bytes",
  async (format) => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(histories(), (steps) =>
        withTemporaryDirectory(async (directory) => {
          const source = openMemoryStorage();
          const clock = new FakeClock("2026-03-02T10:00:00Z", -250_000);
          const store = await openStoreOn(source, { clock });
          await fillStore(store, steps);
          const bytes = await exported(store, { format, checkpoint: false });
          const target = join(directory, "target");
          const made = await importStore(pieces(bytes), target);
          expect(made).toMatchObject({ head: store.head, storeId: store.storeId });
          expect(made.root).toBe(store.log.proofs.treeHead().root.toString("hex"));
          const copy = await openStore(target);
          expect(await exported(copy, { format, checkpoint: false })).toEqual(bytes);
          await copy.close();
          const stored = await openLevelStorage(join(target, "log"));
          expect(await contentsOf(stored)).toEqual(await contentsOf(source));
          await stored.close();
          await store.close();
        }),
      ),
      propertySettings(20),
    );
  },
);

test.each(exportForms)(
  "%s: a store that an earlier version wrote, and this one went on with, comes back byte for byte",
  async (format) => {
    await withTemporaryDirectory(async (directory) => {
      cpSync(image, join(directory, "source"), { recursive: true });
      await renewSigningKey(join(directory, "source"));
      const store = await openStore(join(directory, "source"));
      await store.append([updated("counter", { attributes: { value: "new" } })]);
      const bytes = await exported(store, { format });
      const { storeId } = store;
      await store.close();
      const target = join(directory, "target");
      expect(await importStore(pieces(bytes), target)).toMatchObject({ storeId });
      const before = await openLevelStorage(join(directory, "source", "log"));
      const after = await openLevelStorage(join(target, "log"));
      expect(await contentsOf(after)).toEqual(await contentsOf(before));
      await before.close();
      await after.close();
    });
  },
);

test.each(exportForms)(
  "%s: a store in which content was erased comes back byte for byte, with its tags and forgotten keys",
  async (format) => {
    await withTemporaryDirectory(async (directory) => {
      const source = openMemoryStorage();
      const store = await openStoreOn(source, { clock: new FakeClock("2026-03-02T10:00:00Z") });
      await fillFew(store);
      await store.erase(["a", "b@1"], { cause: "asked for" });
      const bytes = await exported(store, { format });
      await importStore(pieces(bytes), join(directory, "target"));
      const stored = await openLevelStorage(join(directory, "target", "log"));
      expect(await contentsOf(stored)).toEqual(await contentsOf(source));
      await stored.close();
      await store.close();
    });
  },
);

test.each(exportForms)(
  "%s: what fell through a withdrawal whose cause was erased comes back, also where it holds no cause",
  async (format) => {
    await withTemporaryDirectory(async (directory) => {
      const store = await openStoreOn(openMemoryStorage());
      await fillFew(store);
      await store.erase(["b@2"], { cause: "asked for", actor: "otto" });
      await store.append([
        created("late", { kind: "k", name: "n", derivedFrom: [{ recordId: "b", version: 1 }] }),
      ]);
      const without = openMemoryStorage();
      const copy = LogCopy.open(without);
      for await (const entries of store.log.readEntries()) {
        await copy.add(entries.map((entry) => withCause(entry, "erased", "")));
      }
      await copy.finish();
      const old = await openStoreOn(without);
      expect((await old.record("late")).invalidation).toMatchObject({ cause: "" });
      for (const [name, exporting] of Object.entries({ store, old })) {
        const root = exporting.log.proofs.treeHead().root.toString("hex");
        const bytes = await exported(exporting, { format });
        expect((await importStore(pieces(bytes), join(directory, name))).root).toBe(root);
        await exporting.close();
      }
    });
  },
);

/** The entry with another cause, where it holds the one that is named. */
function withCause(entry: Entry, from: string, to: string): Entry {
  if (entry.salt === undefined || entry.payload().data["cause"] !== from) return entry;
  return encodeEntry(entry.header, { ...entry.payload(), data: { cause: to } }, entry.salt).entry;
}

test("an export made of lines says what the events say, and carries bytes only where lines cannot", async () => {
  await withTemporaryDirectory(async (directory) => {
    cpSync(image, directory, { recursive: true });
    await renewSigningKey(directory);
    const store = await openStore(directory);
    await store.append([created("new", { kind: "note", name: "new" })]);
    const lines = (await exported(store, {}))
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const events = lines.filter(({ type }) => typeof type === "string");
    const log: unknown[] = [];
    for await (const event of store.events()) log.push(event);
    expect(events).toMatchObject(JSON.parse(JSON.stringify(log)) as object[]);
    expect(events.map(({ bytes }) => bytes === undefined)).toEqual(
      log.map((_event, index) => index === log.length - 1),
    );
    await store.close();
  });
});

test.each(exportForms)(
  "%s: an imported store has the log's id and a key of its own, and is sound",
  async (format) => {
    await withExport(format, async (bytes, directory) => {
      const target = join(directory, "target");
      const made = await importStore(pieces(bytes), target);
      const store = await openStore(target, { create: false });
      expect(await store.verify()).toMatchObject({ ok: true, head: 6 });
      expect(await store.verifierKey()).toBe(made.verifierKey);
      expect(store.storeId).toBe(made.storeId);
      const source = await openStore(join(directory, "source"));
      expect(await source.verifierKey()).not.toBe(made.verifierKey);
      await source.close();
      await store.append([updated("a", { name: "goes on" })]);
      await store.close();
      expect((await stat(join(target, "keys", "signing-key.pem"))).mode & 0o777).toBe(0o600);
    });
  },
);

test.each(exportForms)(
  "%s: a file cut anywhere is refused, and there is no store",
  async (format) => {
    await withExport(format, async (bytes, directory) => {
      const target = join(directory, "target");
      for (let cut = 1; cut < bytes.length; cut += 61) {
        const code = await codeOf(() => importStore(pieces(bytes.subarray(0, cut)), target));
        expect(["import-truncated", "import-invalid"]).toContain(code);
        if (cut > 200) expect([cut, code]).toEqual([cut, "import-truncated"]);
      }
      expect(await readdir(directory)).toEqual(["source"]);
    });
  },
);

test("ndjson: any changed character of a line is noticed", async () => {
  await withExport("ndjson", async (bytes, directory) => {
    const text = bytes.toString("utf8");
    const firstEvent = text.indexOf("\n") + 1;
    let refused = 0;
    for (let at = firstEvent; at < text.length - 1; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const result = await importStore(pieces(changed), join(directory, `t-${at}`)).catch(
        (error: unknown) => error,
      );
      // What stands in the signature of the checkpoint is for those who hold its key.
      const inCheckpoint =
        text.lastIndexOf('{"checkpoint"') <= at && at < text.lastIndexOf('{"end"');
      if (result instanceof Error) refused += 1;
      else if (!inCheckpoint) expect([at, text.slice(at - 20, at + 20)]).toBe("refused");
    }
    expect(refused).toBeGreaterThan(100);
  });
});

const swapped = (lines: string[], a: number, b: number) =>
  lines.map((line, index) => (index === a ? lines[b] : index === b ? lines[a] : line) ?? "");

/** Lines: 0 start, 1-6 events, 7-8 keys, 9 checkpoint, 10 end. */
const changes: readonly [what: string, code: string, change: (lines: string[]) => string[]][] = [
  ["two events in another order", "import-out-of-order", (lines) => swapped(lines, 2, 3)],
  ["an event left out", "import-out-of-order", (lines) => lines.toSpliced(2, 1)],
  ["an event twice", "import-out-of-order", (lines) => lines.toSpliced(2, 0, lines[1] ?? "")],
  ["an event after the keys", "import-out-of-order", (lines) => swapped(lines, 6, 7)],
  ["the last event left out", "import-tampered", (lines) => lines.toSpliced(6, 1)],
  ["other content", "import-tampered", (lines) => edit(lines, 1, '"name":"a"', '"name":"z"')],
  ["another time", "import-tampered", (lines) => edit(lines, 1, "10:00:00", "10:00:01")],
  ["another salt", "import-tampered", (lines) => edit(lines, 1, /"salt":"..../, '"salt":"AAAA')],
  ["a key left out", "import-tampered", (lines) => lines.toSpliced(7, 1)],
  ["another key", "import-tampered", (lines) => edit(lines, 7, "fourth", "forth!")],
  [
    "another root",
    "import-tampered",
    (lines) => edit(lines, 10, /"root":"\w+/, `"root":"${"0".repeat(64)}`),
  ],
  [
    "the checkpoint of another log",
    "import-tampered",
    (lines) => edit(lines, 9, "\\n6\\n", "\\n7\\n"),
  ],
  [
    "an envelope member that is not the event's",
    "import-tampered",
    (lines) => edit(lines, 1, '"origin"', '"actor":"eve","origin"'),
  ],
  ["a line that is no JSON", "import-invalid", (lines) => lines.toSpliced(3, 0, "{")],
  ["a line that is nothing of ours", "import-invalid", (lines) => lines.toSpliced(3, 0, '{"a":1}')],
  [
    "an event without content",
    "import-invalid",
    (lines) => edit(lines, 1, /"data":\{[^}]*\}/, '"data":null'),
  ],
  ["a line after the end", "import-invalid", (lines) => [...lines, lines[10] ?? ""]],
  ["another format", "import-invalid", (lines) => edit(lines, 0, "sennit-export", "other")],
  ["a newer version", "format-too-new", (lines) => edit(lines, 0, '"version":1', '"version":2')],
  [
    "newer entries",
    "format-too-new",
    (lines) => edit(lines, 0, '"entryFormat":2', '"entryFormat":3'),
  ],
  ["no end", "import-truncated", (lines) => lines.slice(0, -1)],
  ["no first line", "import-invalid", (lines) => lines.slice(1)],
];

function edit(lines: string[], index: number, from: string | RegExp, to: string): string[] {
  const changed = lines.map((line, at) => (at === index ? line.replace(from, () => to) : line));
  if (changed[index] === lines[index]) throw new Error(`nothing to change in ${lines[index]}`);
  return changed;
}

test.each(changes)(
  "ndjson: %s is refused as %s, and there is no store",
  async (_what, code, change) => {
    await withExport("ndjson", async (bytes, directory) => {
      const lines = change(bytes.toString("utf8").trimEnd().split("\n"));
      const changed = Buffer.from(`${lines.join("\n")}\n`);
      expect(await codeOf(() => importStore(pieces(changed), join(directory, "target")))).toBe(
        code,
      );
      expect(await readdir(directory)).toEqual(["source"]);
    });
  },
);

test("msgpack: any changed byte is noticed", async () => {
  await withExport("msgpack", async (bytes, directory) => {
    const note = bytes.indexOf("\n—");
    const noteEnd = bytes.indexOf("\n", note + 1);
    for (let at = 60; at < bytes.length; at += 5) {
      if (at >= note && at <= noteEnd) continue;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const code = await codeOf(() => importStore(pieces(changed), join(directory, `t-${at}`)));
      expect([at, code]).toEqual([at, expect.stringMatching(/^(import-|format-too-new$)/)]);
    }
  });
});

test("msgpack: a value with a member too many is refused", async () => {
  await withExport("msgpack", async (bytes, directory) => {
    const end = bytes.lastIndexOf(Buffer.from("9504", "hex"));
    const longer = Buffer.concat([bytes, Buffer.from("c0", "hex")]);
    longer[end] = 0x96;
    const code = await codeOf(() => importStore(pieces(longer), join(directory, "target")));
    expect(code).toBe("import-invalid");
  });
});

test("a file that is no export is refused", async () => {
  await withTemporaryDirectory(async (directory) => {
    for (const text of ["", "hello", "[]", "{}\n", "\x93\xa1a\x01\x01"]) {
      const bytes = Buffer.from(text, "latin1");
      const code = await codeOf(() => importStore(pieces(bytes), join(directory, "target")));
      expect(["import-invalid", "import-truncated"]).toContain(code);
    }
    expect(await readdir(directory)).toEqual([]);
  });
});

test("an import never touches a directory that holds something", async () => {
  await withExport("msgpack", async (bytes, directory) => {
    const target = join(directory, "target");
    await mkdir(target);
    await writeFile(join(target, "mine.txt"), "mine");
    expect(await codeOf(() => importStore(pieces(bytes), target))).toBe("directory-not-empty");
    expect(await readFile(join(target, "mine.txt"), "utf8")).toBe("mine");
  });
});

test("an import may be stopped, and leaves nothing", async () => {
  await withExport("ndjson", async (bytes, directory) => {
    const stop = AbortSignal.abort();
    const target = join(directory, "target");
    expect(await codeOf(() => importStore(pieces(bytes), target, { signal: stop }))).toBe(
      "aborted",
    );
    expect(await readdir(directory)).toEqual(["source"]);
  });
});
