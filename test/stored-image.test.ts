/** Stores written by earlier versions of Sennit open for ever, and answer what they answered when they were written. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { openStore, parseVerifierKey, renewSigningKey, verifyReceipt } from "@sennit/core";
import { FakeClock, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { repositoryRoot } from "./support/repository.ts";
import { askEverything, fillStore } from "./support/store-image.ts";

const images = join(repositoryRoot, "test/fixtures/stores");
/** Names a new image to write; images that are there are never written again. */
const newImage = process.env["SENNIT_NEW_STORE_IMAGE"];

if (newImage !== undefined && !existsSync(join(images, newImage))) await writeImage(newImage);

async function writeImage(name: string): Promise<void> {
  const directory = join(images, name, "store");
  const store = await openStore(directory, { clock: new FakeClock("2026-03-02T10:00:00Z") });
  await fillStore(store);
  const answers = await askEverything(store);
  await store.close();
  for (const file of ["LOG", "LOG.old", "LOCK"])
    rmSync(join(directory, "log", file), { force: true });
  // The image proves nothing about keys, and a private key has no place among fixtures.
  rmSync(join(directory, "keys"), { recursive: true });
  writeFileSync(join(images, name, "answers.json"), `${JSON.stringify(answers)}\n`);
}

for (const name of readdirSync(images)) {
  test(`the image ${name} opens, is sound and answers as it did`, async () => {
    const answers: unknown = JSON.parse(readFileSync(join(images, name, "answers.json"), "utf8"));
    await withTemporaryDirectory(async (directory) => {
      cpSync(join(images, name, "store"), directory, { recursive: true });
      const store = await openStore(directory);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      expect(JSON.parse(JSON.stringify(await askEverything(store)))).toEqual(answers);
      await store.close();
    });
  });

  test(`a decision in the image ${name} has a receipt, though it was written before`, async () => {
    await withTemporaryDirectory(async (directory) => {
      cpSync(join(images, name, "store"), directory, { recursive: true });
      await renewSigningKey(directory);
      const store = await openStore(directory);
      const key = await parseVerifierKey(await store.verifierKey());
      if (key === undefined) throw new Error("The store's own key cannot be read.");
      for (const ref of ["d-1", "counter", "counter@3", "ds-1"]) {
        const receipt: unknown = JSON.parse(JSON.stringify(await store.receipt(ref)));
        const { digest } = await verifyReceipt(receipt, key);
        expect([ref, digest]).toEqual([ref, (await store.replay(ref)).digest]);
      }
      await store.close();
    });
  });
}
