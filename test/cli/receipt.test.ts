/** Receipts and checkpoints on the command line: made in one place, checked in another where there is no store. */
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { withShell, Shell } from "./support.ts";

/** A shell with a decision that rests on two records, an older checkpoint kept, and a receipt against it. */
async function withReceipt(use: (maker: Shell, elsewhere: Shell) => Promise<void>): Promise<void> {
  await withShell(async (maker) => {
    const write = (name: string, text: string) => writeFile(join(maker.directory, name), text);
    await maker.text("create", "config", "run 7", "--id", "cfg");
    await write("old.checkpoint", await maker.text("checkpoint"));
    await maker.text("update", "cfg", "--set", "attributes.gain=2");
    await maker.text("create", "model", "peaks", "--id", "model", "--from", "cfg");
    await maker.text("create", "decision", "go", "--id", "go", "--from", "model");
    await write("r.json", await maker.text("receipt", "go", "--against", "old.checkpoint"));
    await withTemporaryDirectory(async (directory) => {
      for (const name of ["r.json", "old.checkpoint"]) {
        await copyFile(join(maker.directory, name), join(directory, name));
      }
      const keyFile = join(maker.directory, ".sennit/keys/verifier-key.txt");
      await copyFile(keyFile, join(directory, "key.txt"));
      await use(maker, new Shell(directory));
    });
  });
}

const verify = ["verify-receipt", "r.json", "--key", "key.txt"];

test("a receipt is checked in a directory without a store, in words and as JSON", async () => {
  await withReceipt(async (maker, elsewhere) => {
    const { digest } = await maker.json("replay", "go");
    const text = await elsewhere.text(...verify);
    expect(text).toMatch(/^proven {2}go@1\n/);
    expect(text).toContain(`digest     ${String(digest)}\n`);
    expect(text).toMatch(/^rested on +2 inputs$/m);
    expect(text).toMatch(/^cfg@2 +config +run 7 +2$/m);
    expect(text).not.toContain("only grown");
    expect(await elsewhere.text(...verify, "--against", "old.checkpoint")).toContain(
      "Since its first 1 event the log has only grown.",
    );
    const answer = await elsewhere.json(...verify);
    expect(answer).toMatchObject({
      decision: { recordId: "go", version: 1 },
      against: null,
      digest,
    });
    expect(answer.closure?.map(({ recordId }) => recordId)).toEqual(["cfg", "model", "go"]);
    expect((await elsewhere.run(["show", "go"])).stderr).toContain("store-not-found");
  });
});

test("the key may be given itself, and must be one", async () => {
  await withReceipt(async (maker, elsewhere) => {
    const key = (await readFile(join(elsewhere.directory, "key.txt"), "utf8")).trim();
    await elsewhere.text("verify-receipt", "r.json", "--key", key);
    const refusal = async (given: string) =>
      (await elsewhere.refusal(["verify-receipt", "r.json", "--key", given])).code;
    expect(await refusal("r.json")).toBe("key-invalid");
    expect(await refusal("nowhere.txt")).toBe("file-unreadable");
    expect(await refusal("")).toBe("usage");
    expect((await elsewhere.refusal(["verify-receipt", "r.json"])).code).toBe("usage");
    await maker.text("init", "other");
    const other = join(maker.directory, "other/keys/verifier-key.txt");
    expect(await refusal(other)).toBe("checkpoint-of-another-log");
  });
});

test("a receipt that was cut, changed or is none at all is refused with exit code 2", async () => {
  await withReceipt(async (_maker, elsewhere) => {
    const path = join(elsewhere.directory, "r.json");
    const bytes = await readFile(path);
    const text = bytes.toString("utf8");
    const refusal = async (content: string | Uint8Array) => {
      await writeFile(path, content);
      const { exit, code } = await elsewhere.refusal(verify);
      return [exit, code];
    };
    for (let length = 0; length < bytes.length - 2; length += 97) {
      const code = await refusal(bytes.subarray(0, length));
      expect([length, code]).toEqual([length, [2, "receipt-truncated"]]);
    }
    expect(await refusal(Buffer.from([0xff, 0xfe, 0x7b]))).toEqual([2, "receipt-malformed"]);
    expect(await refusal(await readFile(join(elsewhere.directory, "key.txt")))).toEqual([
      2,
      "receipt-malformed",
    ]);
    expect(await refusal(text.replace('"version":1}', '"version":2}'))).toEqual([
      2,
      "receipt-incomplete",
    ]);
    await writeFile(path, `${text}\n`);
    await elsewhere.text(...verify);
  });
});

test("a receipt that says nothing of the older checkpoint, or one of another log, is refused", async () => {
  await withReceipt(async (maker, elsewhere) => {
    const write = (name: string, text: string) => writeFile(join(elsewhere.directory, name), text);
    await write("r.json", await maker.text("receipt", "go"));
    const against = async (name: string) =>
      (await elsewhere.refusal([...verify, "--against", name])).code;
    expect(await against("old.checkpoint")).toBe("checkpoint-inconsistent");
    expect(await against("key.txt")).toBe("checkpoint-untrusted");
    expect(await against("nowhere")).toBe("file-unreadable");
    await write("same.checkpoint", await maker.text("checkpoint"));
    await elsewhere.text(...verify, "--against", "same.checkpoint");
    await maker.text("init", "other");
    const foreign = await maker.text("checkpoint", "--store", "other");
    await writeFile(join(maker.directory, "foreign.checkpoint"), foreign);
    const refused = await maker.refusal(["receipt", "go", "--against", "foreign.checkpoint"]);
    expect(refused.code).toBe("checkpoint-untrusted");
  });
});

test("a receipt is of the version named, by id or by kind and name, and of nothing that is not there", async () => {
  await withReceipt(async (maker) => {
    const decisionOf = async (ref: string) => (await maker.json("receipt", ref))["decision"];
    expect(await decisionOf("cfg@1")).toEqual({ recordId: "cfg", version: 1 });
    expect(await decisionOf("decision/go")).toEqual({ recordId: "go", version: 1 });
    expect((await maker.refusal(["receipt", "nothing"])).code).toBe("record-not-found");
    expect((await maker.refusal(["receipt", "go@2"])).code).toBe("version-not-found");
  });
});

test("a checkpoint is a signed note of the head or of a position, the same each time", async () => {
  await withReceipt(async (maker) => {
    const note = await maker.text("checkpoint", "1");
    expect(note).toBe(await readFile(join(maker.directory, "old.checkpoint"), "utf8"));
    expect(note).toMatch(/^\S+\n1\n\S{44}\n\n\u2014 \S+ \S+\n$/);
    expect(await maker.json("checkpoint", "1")).toMatchObject({ size: 1, note });
    expect(await maker.json("checkpoint")).toMatchObject({ size: 4 });
    for (const position of ["x", "1.5"]) {
      const { code } = await maker.refusal(["checkpoint", position]);
      expect([position, code]).toEqual([position, "argument-invalid"]);
    }
    expect((await maker.refusal(["checkpoint", "5"])).code).toBe("as-of-ahead-of-head");
  });
});
