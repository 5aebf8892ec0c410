/** Keys on the command line: shown once, listed without their secret, and revoked, while a server has the store open. */
import { eventually } from "@sennit/core/testing";
import { startServer } from "@sennit/server";
import { expect, test } from "vitest";

import { withShell } from "./support.ts";

interface KeyAnswer {
  readonly id: string;
  readonly key?: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly limits: object;
  readonly expiresAt: string | null;
  readonly status: string;
}

test("a key is all that is printed when it is made, and never again", async () => {
  await withShell(async (shell) => {
    const { stdout, stderr } = await shell.run(["keys", "create", "maria", "--scope", "read"]);
    expect(stdout).toMatch(/^sennit_[a-z2-7]{8}_[a-z2-7]{59}\n$/);
    const id = stdout.slice(7, 15);
    expect(stderr).toContain(id);
    const listed = (await shell.text("keys")) + (await shell.text("keys", "list", "--json"));
    expect(listed).toContain(id);
    expect(listed).not.toContain(stdout.slice(16, 60));
    expect(await shell.text("keys", "revoke", id)).toContain(id);
    expect(await shell.text("keys")).toContain("revoked");
  });
});

test("flags say what a key allows, what it may write and when it ends", async () => {
  await withShell(async (shell) => {
    const made = await shell.json<KeyAnswer>(
      ...["keys", "create", "scan", "--scope", "append", "--scope", "read", "--kind", "scan"],
      ...["--id-prefix", "bl-7/", "--expires", "90d"],
    );
    expect(made).toMatchObject({
      scopes: ["read", "append"],
      limits: { kinds: ["scan"], recordIdPrefixes: ["bl-7/"] },
      expiresAt: "2026-05-31T10:01:00.000000Z",
      status: "active",
    });
    const { key: _key, ...about } = made;
    expect(await shell.json("keys")).toEqual({ keys: [about] });
  });
});

test("keys are made and revoked while a server has the store open, and count there at once", async () => {
  await withShell(async (shell) => {
    const directory = `${shell.directory}/.sennit`;
    const server = await startServer({ directory, port: 0, auth: "on" });
    try {
      const { key = "", id } = await shell.json<KeyAnswer>(
        "keys",
        "create",
        "m",
        "--scope",
        "read",
      );
      const headers = { authorization: `Bearer ${key}` };
      const status = async () => (await fetch(`${server.url}/v1/records`, { headers })).status;
      await eventually(async () => expect(await status()).toBe(200));
      expect(await shell.json("keys", "revoke", id)).toMatchObject({ id, status: "revoked" });
      await eventually(async () => expect(await status()).toBe(401));
    } finally {
      await server.close();
    }
  });
});

test.each([
  [["keys", "create"], "usage"],
  [["keys", "create", "a"], "usage"],
  [["keys", "create", "a", "--scope", "write"], "argument-invalid"],
  [["keys", "create", "a", "--scope", "read", "--expires", "soon"], "argument-invalid"],
  [
    ["keys", "create", "a", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"],
    "argument-invalid",
  ],
  [["keys", "create", "a", "--scope", "admin", "--kind", "k"], "argument-invalid"],
  [["keys", "create", "a", "--scope", "read", "--kind", ""], "argument-invalid"],
  [["keys", "create", "", "--scope", "read"], "argument-invalid"],
  [["keys", "list", "a"], "usage"],
  [["keys", "list", "--scope", "read"], "usage"],
  [["keys", "revoke"], "usage"],
  [["keys", "revoke", "nothing"], "key-not-found"],
  [["keys", "toString", "x"], "usage"],
  [["keys", "--store", "https://example.org"], "argument-invalid"],
  [["keys", "--store", "nowhere"], "store-not-found"],
])("%j is refused with %s, and no key is made", async (words, code) => {
  await withShell(async (shell) => {
    expect(await shell.refusal(words)).toMatchObject({ code });
    expect(await shell.json("keys")).toEqual({ keys: [] });
  });
});
