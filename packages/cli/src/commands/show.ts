/** `sennit show`: one record. */
import { noteAsOf, printRecord } from "../answers.ts";
import { defineCommand } from "../command.ts";

export const command = defineCommand({
  name: "show",
  summary: "one record",
  arguments: [{ name: "REF[@V]", help: "The record: ID, ID@VERSION or KIND/NAME" }],
  flags: [],
  examples: ["sennit show cfg-1", "sennit show model/braggnn --as-of 2026-03-02T10:00:00Z"],
  async run(context) {
    const reader = await context.reader();
    const record = await reader.record(await context.resolve(context.values.argument(0)));
    if (context.out.isJson) {
      context.out.json(record);
      return undefined;
    }
    noteAsOf(context, reader);
    printRecord(context.out, record);
    return undefined;
  },
});
