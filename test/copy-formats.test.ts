/** The pages on exports and backups name what is really in them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { created, openStore, updated } from "@sennit/core";
import { FakeClock, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { codeIn, sectionOf, tablesOf } from "./support/markdown.ts";
import { readText } from "./support/repository.ts";

const exportPage = readText("docs/internals/export-format.md");
const backupPage = readText("docs/internals/backup-format.md");

/** The words in code of a table's cells, by the first cell of each row. */
function wordsOf(page: string, title: string): Map<string, string[]> {
  const [table] = tablesOf(sectionOf(page, title).text);
  const rows = (table?.rows ?? []).map((row) => Object.values(row));
  return new Map(
    rows.map(([first = "", ...rest]) => [
      first,
      [...rest.join(" ").matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word),
    ]),
  );
}

async function withCopies(
  use: (lines: Readonly<Record<string, unknown>>[], backup: string) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(join(directory, "store"), {
      clock: new FakeClock("2026-03-02T10:00:00Z"),
    });
    await store.append([created("a", { kind: "note", name: "a" })], { idempotencyKey: "k" });
    await store.append([updated("a", { name: "b" })]);
    const parts: Uint8Array[] = [];
    for await (const part of store.export()) parts.push(part);
    const backup = join(directory, "backup");
    await store.backup(backup);
    await store.close();
    const lines = Buffer.concat(parts).toString("utf8").trimEnd().split("\n");
    await use(
      lines.map((line) => JSON.parse(line) as Record<string, unknown>),
      backup,
    );
  });
}

test("every member of an export's lines is described", async () => {
  const described = wordsOf(exportPage, "NDJSON");
  await withCopies(async (lines) => {
    const [start = {}, , patch = {}, key = {}, checkpoint = {}, end = {}] = lines;
    expect(described.get("start")).toEqual(expect.arrayContaining(Object.keys(start)));
    const eventMembers = ["origin", "salt", "documentDigest"];
    expect(Object.keys(patch).slice(-3)).toEqual(eventMembers);
    expect(described.get("event")).toEqual(expect.arrayContaining(eventMembers));
    expect(described.get("idempotency key")).toEqual(Object.keys(key));
    expect(described.get("checkpoint")).toEqual(Object.keys(checkpoint));
    const inEnd = end["end"] as Readonly<Record<string, object>>;
    expect(described.get("end")).toEqual([
      "end",
      ...Object.keys(inEnd),
      ...Object.keys(inEnd["idempotencyKeys"] ?? {}),
    ]);
    expect(codeIn(sectionOf(exportPage, "NDJSON").text)).toBe("format");
    expect(start).toMatchObject({ format: "sennit-export", version: 1, entryFormat: 2 });
  });
});

test("every member of a backup's manifest and every file of a backup is described", async () => {
  const described = wordsOf(backupPage, "Manifest");
  await withCopies(async (_lines, backup) => {
    const manifest = JSON.parse(await readFile(join(backup, "backup.json"), "utf8")) as Readonly<
      Record<string, object>
    >;
    const first = (name: string) => name.split(", ").map(codeIn);
    expect([...described.keys()].flatMap(first).toSorted()).toEqual(
      Object.keys(manifest).toSorted(),
    );
    const [segment = {}] = manifest["segments"] as object[];
    expect(
      described
        .get("`segments`")
        ?.filter((word) => word !== "base" && word !== "head")
        .toSorted(),
    ).toEqual(Object.keys(segment).toSorted());
    for (const name of ["store", "base", "idempotencyKeys"]) {
      const members = Object.keys(manifest[name] ?? {}).toSorted();
      expect([name, described.get(`\`${name}\``)?.toSorted()]).toEqual([name, members]);
    }
    const files = [...wordsOf(backupPage, "Backup format 1").keys()].map(codeIn);
    for (const name of await readdir(backup)) {
      const stem = name.replace(/-[0-9a-f]{16}\.msgpack$/, "");
      expect([name, files.some((file) => file.startsWith(stem))]).toEqual([name, true]);
    }
  });
});
