/** The verifiers that need no store and no Node. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  hashLeaf,
  openCheckpoint,
  parseVerifierKey,
  verifyConsistency,
  verifyInclusion,
} from "@sennit/core/proofs";
import { expect, test } from "vitest";

import { must } from "./assert.ts";
import { openMemoryStore } from "./open-store.ts";
import { make } from "./testing/samples.ts";

test("proofs and checkpoints of a store verify with nothing but the verifiers", async () => {
  const store = await openMemoryStore();
  await store.append(Array.from({ length: 300 }, (_, index) => make(`r-${index}`)));
  const key = must(await parseVerifierKey(await store.verifierKey()), "a store has a key");
  const older = must(await openCheckpoint(await store.checkpoint(7), key), "its own checkpoint");
  const newer = must(await openCheckpoint(await store.checkpoint(), key), "its own checkpoint");
  const header = must(store.log.state.entry(5), "an entry").headerBytes;
  const leaf = await hashLeaf(header);
  const proof = await store.inclusionProof(5);
  expect(await verifyInclusion(leaf, 4, newer, proof)).toBe(true);
  expect(await verifyInclusion(leaf, 4, older, await store.inclusionProof(5, 7))).toBe(true);
  expect(await verifyInclusion(leaf, 5, newer, proof)).toBe(false);
  const growth = await store.consistencyProof(7);
  expect(await verifyConsistency(older, newer, growth)).toBe(true);
  expect(await verifyConsistency(newer, older, growth)).toBe(false);
});

test("nothing that the verifiers are made of needs Node", async () => {
  const seen = new Map<string, string>();
  const read = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    const text = await readFile(path, "utf8");
    seen.set(path, text);
    for (const [, name = ""] of text.matchAll(/(?:from|import)\s+"([^"]+)"/g)) {
      expect([path, name.startsWith(".")]).toEqual([path, true]);
      await read(join(dirname(path), name));
    }
  };
  await read(join(dirname(fileURLToPath(import.meta.url)), "proofs.ts"));
  expect(seen.size).toBeGreaterThan(3);
  for (const [path, text] of seen) {
    expect([path, /\b(Buffer|process|require)\b[.(]/.test(text)]).toEqual([path, false]);
  }
});
