/** Where erased content still is: in versions that hold the same, and in what repairs leave beside the log. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { created, replaced, updated } from "../event/event.ts";
import { openMemoryStore, openStore } from "../open-store.ts";
import { make } from "../testing/samples.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";

const cause = "consent withdrawn";

test("versions that stay with the same content as an erased one are named, before and after", async () => {
  const store = await openMemoryStore();
  const document = { kind: "dataset", name: "Marie Curie" };
  await store.append([created("scan", document), created("twin", document)]);
  await store.append([replaced("scan", { kind: "dataset", name: "other" })]);
  await store.append([replaced("scan", document)]);
  await store.append([updated("scan", { tags: { checked: true } })]);
  const sameContent = [{ recordId: "scan", versions: { from: 3, to: 3 } }];
  expect(await store.erase(["scan@1"], { cause, dryRun: true })).toMatchObject({ sameContent });
  expect(await store.erase(["scan@1"], { cause })).toMatchObject({ sameContent });
  expect(await store.erase(["scan@3"], { cause })).toMatchObject({ sameContent: [] });
  await store.close();
});

test("an erasure removes what repairs were working on, and names the damaged logs that are kept", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a")]);
    const kept = ["log.damaged-2026-01-01T00-00-00Z", "log.damaged-2026-02-01T00-00-00Z"];
    for (const name of [...kept, "log.reading", "log.repairing"]) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "000005.ldb"), "Marie Curie");
    }
    await writeFile(join(directory, "acknowledged.repairing"), "");
    const before = (await readdir(directory)).toSorted();
    expect(await store.erase(["a"], { cause, dryRun: true })).toMatchObject({ damagedLogs: kept });
    expect((await readdir(directory)).toSorted()).toEqual(before);
    expect(await store.erase(["a"], { cause })).toMatchObject({ position: 2, damagedLogs: kept });
    const working = ["acknowledged.repairing", "log.reading", "log.repairing"];
    const after = before.filter((name) => !working.includes(name));
    expect((await readdir(directory)).toSorted()).toEqual(after);
    await mkdir(join(directory, "log.reading"));
    expect(await store.erase(["a"], { cause })).toMatchObject({ position: null });
    expect((await readdir(directory)).toSorted()).toEqual(after);
    await store.close();
  });
});
