/** A credential goes only to the address that it was found with. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { discoveredServer } from "./discovered-server.ts";

test("the credential of a server that is started anew is not taken without its address", async () => {
  await withTemporaryDirectory(async (directory) => {
    const write = (url: string | undefined, token: string, pid = process.pid) =>
      writeFile(join(directory, "owner.json"), JSON.stringify({ pid, url, token }));
    const [first, second] = ["http://127.0.0.1:1001", "http://127.0.0.1:1002"] as const;
    const { locate, token } = discoveredServer(directory, first, "one");
    if (typeof token !== "function" || locate === undefined) throw new Error("It stands still.");
    await write(first, "one");
    expect(await locate()).toBe(first);
    await write(second, "two");
    expect(await token()).toBe("one");
    expect([await locate(), await token()]).toEqual([second, "two"]);
    // It is about to listen, or has been killed, or is half written: its address may be anybody's.
    await write(undefined, "three");
    expect([await locate(), await token()]).toEqual([undefined, "two"]);
    await write(first, "three", 2 ** 30);
    expect([await locate(), await token()]).toEqual([undefined, "two"]);
    await writeFile(join(directory, "owner.json"), '{"pid":1,"url":"http://127.0.0.1:10');
    expect([await locate(), await token()]).toEqual([undefined, "two"]);
  });
});
