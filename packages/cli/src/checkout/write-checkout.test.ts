/** What a checkout that fails on its way leaves: nothing of its own, and all that is somebody else's. */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { created, openMemoryStore } from "@sennit/core";
import { codeOf, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { writeCheckout } from "./write-checkout.ts";

/** The code with which a checkout of one record fails when something happens after it is written. */
async function failure(
  target: string,
  happens: (stop: AbortController) => void,
): Promise<string | undefined> {
  const store = await openMemoryStore();
  try {
    await store.append([created("m-1", { kind: "model", name: "m" })]);
    const stop = new AbortController();
    const reader = await store.at();
    const { storeId } = store;
    const { signal } = stop;
    return await codeOf(() =>
      writeCheckout(reader, target, { storeId, signal, onProgress: () => happens(stop) }),
    );
  } finally {
    await store.close();
  }
}

test("a checkout that is stopped leaves no new directory, and an empty one empty", async () => {
  await withTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, "empty"));
    for (const name of ["new", "empty"]) {
      const code = await failure(join(directory, name), (stop) => stop.abort());
      expect(code).toBe("aborted");
    }
    expect(await readdir(directory, { recursive: true })).toEqual(["empty"]);
  });
});

test("what somebody else writes into the directory meanwhile is left as it is", async () => {
  await withTemporaryDirectory(async (directory) => {
    for (const name of ["new", "empty"]) {
      const target = join(directory, name);
      if (name === "empty") await mkdir(target);
      const code = await failure(target, () => {
        mkdirSync(target, { recursive: true });
        writeFileSync(join(target, "index.ndjson"), "mine");
      });
      expect(code).toBe("directory-not-empty");
      expect(await readdir(target)).toEqual(["index.ndjson"]);
      expect(await readFile(join(target, "index.ndjson"), "utf8")).toBe("mine");
    }
    expect((await readdir(directory)).toSorted()).toEqual(["empty", "new"]);
  });
});
