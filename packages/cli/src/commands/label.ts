/** `sennit label`: names a position. */
import { defineCommand } from "../command.ts";
import { printable } from "../output.ts";
import { parseInteger } from "../values.ts";

export const command = defineCommand({
  name: "label",
  summary: "name a position",
  arguments: [
    { name: "NAME", help: "The name, such as submitted-paper" },
    { name: "POSITION", optional: true, help: "What it names; default: the head" },
  ],
  flags: [],
  examples: ["sennit label submitted-paper", "sennit label before-recalibration 42"],
  presentOnly: true,
  async run(context) {
    const { values, out } = context;
    const store = await context.store();
    const name = values.argument(0);
    const given = values.positionals[1];
    const position =
      given === undefined
        ? store.head
        : parseInteger(given, "POSITION", 0, Number.MAX_SAFE_INTEGER);
    const appended = await store.label(name, position, { actor: context.actor });
    if (out.isJson) out.json({ label: name, position, ...appendedPlace(appended) });
    else
      out.line(
        `${out.style("bold", printable(name))} names position ${position}; read it with --as-of ${printable(name)}`,
      );
    return undefined;
  },
});

function appendedPlace({
  recordId,
  version,
  position,
}: {
  recordId: string;
  version: number;
  position: number;
}) {
  return { recordId, version, storedAt: position };
}
