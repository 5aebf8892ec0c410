/** `sennit receipt`: a decision's closure with the proof that the log holds it. */
import { openCheckpoint, StoreError, type Checkpoint, type Store } from "@sennit/core";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural } from "../output.ts";
import { readNoteFile, readVerifierKey } from "../receipt-files.ts";

export const command = defineCommand({
  name: "receipt",
  summary: "prove to others what a decision rested on",
  arguments: [{ name: "REF[@V]", help: "The decision: any record version" }],
  flags: [
    {
      name: "against",
      type: "string",
      value: "FILE",
      help: "Also prove that the log has only grown since this checkpoint of it",
    },
  ],
  examples: [
    "sennit receipt decision-1 > decision-1.json",
    "sennit receipt decision-1 --against march.checkpoint > decision-1.json",
  ],
  presentOnly: true,
  async run(context) {
    const { values, out } = context;
    const { store, directory, url } = await context.target();
    const ref = await context.resolve(values.argument(0));
    const older = await olderCheckpoint(context, store);
    const against = older === undefined ? undefined : { size: older.size };
    const receipt = await store.receipt(ref, { against, signal: context.io.signal });
    out.json(receipt);
    if (!out.isJson) {
      out.note(`${plural(receipt.entries.length, "event")}, each with its proof`);
      const key =
        directory === undefined ? `at ${url}/v1/verifier-key` : "in keys/verifier-key.txt";
      out.note(`Next: sennit verify-receipt FILE --key KEY; KEY is ${key}`);
    }
    return undefined;
  },
});

async function olderCheckpoint(
  { values, io }: Context,
  store: Store,
): Promise<Checkpoint | undefined> {
  const path = values.text("against");
  if (path === undefined) return undefined;
  const key = await readVerifierKey(io.cwd, await store.verifierKey());
  const checkpoint = await openCheckpoint(await readNoteFile(io.cwd, path), key);
  if (checkpoint !== undefined) return checkpoint;
  throw new StoreError("checkpoint-untrusted", `${path} is no checkpoint of this store.`, {
    hint: "Give a file that sennit checkpoint printed for this store.",
    details: { flag: "--against", path },
  });
}
