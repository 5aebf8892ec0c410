/** Keys: their text, their file, and that nobody's change of it is lost. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { openStore, systemClock } from "@sennit/core";
import { codeOf, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { readKeys } from "./key-file.ts";
import { makeKey, readKey } from "./key-text.ts";
import { createKey, listKeys, revokeKey } from "./manage-keys.ts";

const clock = systemClock;

async function withStore(use: (directory: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    await use(directory);
  });
}

test("a key reads back as itself, and no two are alike", () => {
  const made = Array.from({ length: 100 }, () => makeKey());
  expect(new Set(made.map(({ key }) => key)).size).toBe(100);
  for (const { key, id, hash } of made) {
    expect(key).toMatch(/^sennit_[a-z2-7]{8}_[a-z2-7]{59}$/);
    expect(readKey(key)).toEqual({ is: "key", id, hash });
  }
});

test("a key with any one character changed, left out or swapped is told from one that is not known", () => {
  const { key } = makeKey();
  const slips = [...key].flatMap((character, at) => {
    const other = character === "a" ? "b" : "a";
    const swapped = `${key.slice(0, at)}${key.charAt(at + 1)}${character}${key.slice(at + 2)}`;
    return [
      `${key.slice(0, at)}${other}${key.slice(at + 1)}`,
      `${key.slice(0, at)}${key.slice(at + 1)}`,
      ...(swapped === key ? [] : [swapped]),
    ];
  });
  const readAsKey = slips.filter((slip) => readKey(slip).is === "key");
  expect(readAsKey).toEqual([]);
  expect(readKey(key.slice(0, -1)).is).toBe("mistyped");
  expect(readKey("eyJhbGciOi.J9.x").is).toBe("no-key");
});

test("the file is its owner's alone, and holds no secret", async () => {
  await withStore(async (directory) => {
    const { key, about } = await createKey(directory, { name: "scan", scopes: ["read"], clock });
    const path = join(directory, "keys.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    expect(text).not.toContain(key.slice(-59, -7));
    expect(text).toContain(about.id);
    expect((await readdir(directory)).filter((name) => name.startsWith("keys.json"))).toEqual([
      "keys.json",
    ]);
  });
});

test("what is listed is what was made, in order, without hashes", async () => {
  await withStore(async (directory) => {
    const expiresAt = "2999-01-01T00:00:00+01:00";
    const limits = { kinds: ["scan"], recordIdPrefixes: ["bl-7/"] };
    const first = await createKey(directory, {
      name: "beamline 7",
      scopes: ["append", "read"],
      limits,
      expiresAt,
      clock,
    });
    const second = await createKey(directory, { name: "boss", scopes: ["admin"], clock });
    const revoked = await revokeKey(directory, second.about.id, clock);
    expect(await listKeys(directory, clock)).toEqual([first.about, revoked]);
    expect(first.about).toMatchObject({
      name: "beamline 7",
      scopes: ["read", "append"],
      limits,
      expiresAt: "2998-12-31T23:00:00.000000Z",
      revokedAt: null,
      status: "active",
    });
    expect(revoked).toMatchObject({ status: "revoked" });
    expect(Object.keys(revoked)).not.toContain("hash");
    expect(await revokeKey(directory, second.about.id, clock)).toEqual(revoked);
  });
});

test.each([
  ["a name of nothing", { name: " ", scopes: ["read"] as const }],
  ["a name with a control", { name: "a\nb", scopes: ["read"] as const }],
  ["no scope", { name: "a", scopes: [] }],
  ["an admin that is limited", { name: "a", scopes: ["admin"] as const, limits: { kinds: ["k"] } }],
  ["a limit to nothing", { name: "a", scopes: ["append"] as const, limits: { kinds: [] } }],
  ["an end that is past", { name: "a", scopes: ["read"] as const, expiresAt: "2020-01-01T00:00Z" }],
  ["an end without a zone", { name: "a", scopes: ["read"] as const, expiresAt: "2999-01-01" }],
])("%s is refused, and no key is made", async (_what, options) => {
  await withStore(async (directory) => {
    expect(await codeOf(() => createKey(directory, { ...options, clock }))).toBe(
      "argument-invalid",
    );
    expect(await readKeys(directory)).toBeUndefined();
  });
});

test("a file of keys that cannot be written is told of with its place", async () => {
  await withStore(async (directory) => {
    await mkdir(join(directory, "keys.json.new"));
    const make = () => createKey(directory, { name: "a", scopes: ["read"], clock: systemClock });
    expect(await codeOf(make)).toBe("file-unreadable");
  });
});

test("a key that is not there cannot be revoked, and a directory without a store has no keys", async () => {
  await withStore(async (directory) => {
    expect(await codeOf(() => revokeKey(directory, "aaaaaaaa", clock))).toBe("key-not-found");
    const nowhere = join(directory, "nowhere");
    expect(await codeOf(() => listKeys(nowhere, clock))).toBe("store-not-found");
  });
});

test.each([
  ["no JSON", "{"],
  ["another format", '{"format":"x"}'],
  ["a version to come", '{"format":"sennit-keys","version":2,"keys":[]}'],
  ["something that is no key", '{"format":"sennit-keys","version":1,"keys":[{}]}'],
])("a file that holds %s is refused and not replaced", async (_what, text) => {
  await withStore(async (directory) => {
    const path = join(directory, "keys.json");
    await writeFile(path, text);
    expect(await codeOf(() => listKeys(directory, clock))).toBe("keys-unreadable");
    const options = { name: "a", scopes: ["read"] as const, clock };
    expect(await codeOf(() => createKey(directory, options))).toBe("keys-unreadable");
    expect(await readFile(path, "utf8")).toBe(text);
  });
});

test("a limit that is not known makes the file unreadable, so that no key is allowed more than it was given", async () => {
  await withStore(async (directory) => {
    await createKey(directory, { name: "a", scopes: ["append"], clock });
    const path = join(directory, "keys.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"limits": {}', '"limits": {"tags": ["a"]}'));
    expect(await codeOf(() => listKeys(directory, clock))).toBe("keys-unreadable");
  });
});

test("of many commands that change the keys at once, none loses what another did", async () => {
  await withStore(async (directory) => {
    const { about } = await createKey(directory, { name: "first", scopes: ["read"], clock });
    const program = `
      import { createKey } from ${JSON.stringify(join(import.meta.dirname, "../../dist/keys/index.js"))};
      const clock = { nowUs: () => Date.now() * 1000 };
      for (const name of process.argv.slice(2)) {
        await createKey(${JSON.stringify(directory)}, { name, scopes: ["read"], clock });
      }`;
    const script = join(directory, "make.mjs");
    await writeFile(script, program);
    const names = Array.from({ length: 3 }, (_, run) => [`${run}-0`, `${run}-1`, `${run}-2`]);
    const run = promisify(execFile);
    await Promise.all([
      ...names.map((words) => run(process.execPath, [script, ...words])),
      ...["x", "y"].map((name) => createKey(directory, { name, scopes: ["read"], clock })),
      revokeKey(directory, about.id, clock),
    ]);
    const keys = await listKeys(directory, clock);
    expect(keys.map(({ name }) => name).toSorted()).toEqual(
      ["first", "x", "y", ...names.flat()].toSorted(),
    );
    expect(keys[0]?.status).toBe("revoked");
  });
});

test("the lock of a command that was killed does not stay", async () => {
  await withStore(async (directory) => {
    await writeFile(join(directory, "keys.json.lock"), "999999999\n");
    await createKey(directory, { name: "a", scopes: ["read"], clock });
    await rm(join(directory, "keys.json.lock"), { force: true });
    expect(await listKeys(directory, clock)).toHaveLength(1);
  });
});
