/** A store signs with the key it was made with, or not at all. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { privateKeyName, publicKeyName, SigningKey } from "./signing-key.ts";

test("a key is made once and read again, also without the verifier key beside it", async () => {
  await withTemporaryDirectory(async (directory) => {
    const { verifierKey } = await SigningKey.make(directory, "log");
    expect((await SigningKey.make(directory, "log")).verifierKey).toEqual(verifierKey);
    await rm(join(directory, publicKeyName));
    expect((await SigningKey.make(directory, "log")).verifierKey).toEqual(verifierKey);
  });
});

test("another private key, another verifier key and another name are refused", async () => {
  await withTemporaryDirectory(async (directory) => {
    const { verifierKey } = await SigningKey.make(directory, "log");
    expect(await codeOf(() => SigningKey.make(directory, "lof"))).toBe("key-invalid");
    for (const name of [privateKeyName, publicKeyName]) {
      const text = await readFile(join(directory, name), "utf8");
      // In both files the last characters before the end are those of the key itself.
      const at = name === privateKeyName ? text.indexOf("\n-----END") - 8 : text.length - 8;
      const changed = text[at] === "A" ? "B" : "A";
      await writeFile(join(directory, name), text.slice(0, at) + changed + text.slice(at + 1));
      expect(await codeOf(() => SigningKey.make(directory, "log"))).toBe("key-invalid");
      await writeFile(join(directory, name), text);
    }
    expect((await SigningKey.make(directory, "log")).verifierKey).toEqual(verifierKey);
  });
});
