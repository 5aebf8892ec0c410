/** `sennit checkpoint`: the size and root of the log, signed with the store's key. */
import { openCheckpoint, parseVerifierKey, StoreError } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { parseInteger } from "../values.ts";

export const command = defineCommand({
  name: "checkpoint",
  summary: "sign what the log is, to hold it to that later",
  arguments: [
    { name: "POSITION", optional: true, help: "The last event it covers; default: the head" },
  ],
  flags: [],
  examples: ["sennit checkpoint > march.checkpoint", "sennit checkpoint 812 --json"],
  presentOnly: true,
  async run(context) {
    const { values, out, io } = context;
    const store = await context.store();
    const [given] = values.positionals;
    const position =
      given === undefined
        ? store.head
        : parseInteger(given, "POSITION", 0, Number.MAX_SAFE_INTEGER);
    const { asOf: size } = await store.at({ position });
    const note = await store.checkpoint(size);
    const root = await rootOf(note, await store.verifierKey());
    if (out.isJson) out.json({ size, root, note });
    else io.stdout(note);
    return undefined;
  },
});

/** The root that a note of the store's own says, 64 hexadecimal digits. */
async function rootOf(note: string, verifierKey: string): Promise<string> {
  const key = await parseVerifierKey(verifierKey);
  const checkpoint = key === undefined ? undefined : await openCheckpoint(note, key);
  if (checkpoint === undefined) {
    throw new StoreError(
      "checkpoint-untrusted",
      "The checkpoint is not signed with the store's key.",
    );
  }
  return Buffer.from(checkpoint.root).toString("hex");
}
