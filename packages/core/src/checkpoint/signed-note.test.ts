/** Signed notes: round trips, every changed byte noticed, and a note of another implementation. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { expect, test } from "vitest";

import { codeOf } from "../testing/storage-contract.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import {
  formatVerifierKey,
  isKeyName,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
} from "./signed-note.ts";
import { privateKeyName, publicKeyName, SigningKey } from "./signing-key.ts";

const checkpoint = { origin: "sennit/test", size: 812, root: new Uint8Array(32).fill(7) };

test("a signed checkpoint opens with its key and gives back what was signed", async () => {
  const key = await SigningKey.generate("sennit/test");
  const note = key.signCheckpoint(checkpoint);
  expect(note.split("\n").slice(0, 3)).toEqual([
    "sennit/test",
    "812",
    encodeBase64(checkpoint.root),
  ]);
  expect(await openCheckpoint(note, key.verifierKey)).toEqual(checkpoint);
});

test("a note with any character changed, cut or added does not open", async () => {
  const key = await SigningKey.generate("sennit/test");
  const note = key.signCheckpoint(checkpoint);
  for (let index = 0; index < note.length; index += 1) {
    const changed = `${note.slice(0, index)}${note[index] === "A" ? "B" : "A"}${note.slice(index + 1)}`;
    expect([index, await openCheckpoint(changed, key.verifierKey)]).toEqual([index, undefined]);
    const cut = note.slice(0, index) + note.slice(index + 1);
    expect([index, await openCheckpoint(cut, key.verifierKey)]).toEqual([index, undefined]);
  }
  expect(await openCheckpoint(`${note}x`, key.verifierKey)).toBeUndefined();
});

test("another key, another name and another origin do not open a note", async () => {
  const key = await SigningKey.generate("sennit/test");
  const other = await SigningKey.generate("sennit/test");
  const renamed = { ...key.verifierKey, name: "sennit/other" };
  const note = key.signCheckpoint(checkpoint);
  expect(await openCheckpoint(note, other.verifierKey)).toBeUndefined();
  expect(await openCheckpoint(note, renamed)).toBeUndefined();
  const foreign = key.signCheckpoint({ ...checkpoint, origin: "sennit/other" });
  expect(await openNote(foreign, key.verifierKey)).toBeDefined();
  expect(await openCheckpoint(foreign, key.verifierKey)).toBeUndefined();
});

test("a note of the format's published example opens", async () => {
  const published = await parseVerifierKey(
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  );
  const note =
    "If you think cryptography is the answer to your problem,\n" +
    "then you don't know what your problem is.\n\n" +
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  expect(published?.name).toBe("PeterNeumann");
  if (published !== undefined) expect(await openNote(note, published)).toContain("cryptography");
});

test("verifier keys are read as written, and not when anything is wrong with them", async () => {
  const { verifierKey } = await SigningKey.generate("sennit/test");
  const text = formatVerifierKey(verifierKey);
  expect(await parseVerifierKey(`${text}\n`)).toEqual(verifierKey);
  for (let index = 0; index < text.length; index += 1) {
    const changed = `${text.slice(0, index)}${text[index] === "A" ? "B" : "A"}${text.slice(index + 1)}`;
    expect([index, await parseVerifierKey(changed)]).toEqual([index, undefined]);
  }
  expect([isKeyName(""), isKeyName("a b"), isKeyName("a+b"), isKeyName("a/b")]).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test("text that is no checkpoint is not read as one", () => {
  const root = encodeBase64(new Uint8Array(32));
  for (const text of [
    "",
    "a\n1\n",
    `a\n01\n${root}\n`,
    `a\n-1\n${root}\n`,
    `a\n1\nAAAA\n`,
    `\n1\n${root}\n`,
    `a\n1\n${root}`,
  ]) {
    expect([text, parseCheckpoint(text)]).toEqual([text, undefined]);
  }
  expect(parseCheckpoint(`a\n1\n${root}\nextension\n`)?.size).toBe(1);
});

test("base64 is read only as it is written", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    }),
  );
  for (const text of ["A", "AB=C", "AA==\n", "AB==", "A===", "*AAA"])
    expect(decodeBase64(text)).toBeUndefined();
});

test("a key is made once, readable by its owner alone, and read again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sennit-keys-"));
  try {
    const made = await SigningKey.make(join(directory, "keys"), "sennit/test");
    const path = join(directory, "keys", privateKeyName);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await SigningKey.make(join(directory, "keys"), "sennit/test");
    expect(again.verifierKey).toEqual(made.verifierKey);
    const published = await readFile(join(directory, "keys", publicKeyName), "utf8");
    expect(await parseVerifierKey(published)).toEqual(made.verifierKey);
    const { writeFile } = await import("node:fs/promises");
    await writeFile(path, "no key");
    expect(await codeOf(() => SigningKey.make(join(directory, "keys"), "sennit/test"))).toBe(
      "key-invalid",
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
