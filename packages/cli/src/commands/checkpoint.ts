/** `sennit checkpoint`: the size and root of the log, signed with the store's key. */
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
    const root = store.log.proofs.treeHead(size).root.toString("hex");
    if (out.isJson) out.json({ size, root, note });
    else io.stdout(note);
    return undefined;
  },
});
