/** `sennit blame`: which event set each field of a record. */
import type { Blame, BlameField } from "@sennit/core";

import { noteAsOf } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { printable, shortTime, type Output } from "../output.ts";

export const command = defineCommand({
  name: "blame",
  summary: "which event set each field of a record",
  arguments: [{ name: "REF[@V]", help: "The record: ID, ID@VERSION or KIND/NAME" }],
  flags: [],
  examples: ["sennit blame cfg-1", "sennit blame model/braggnn@2 --as-of submitted-paper"],
  async run(context) {
    const { out } = context;
    const reader = await context.reader();
    const ref = await context.resolve(context.values.argument(0));
    const blame = await reader.blame(ref, { signal: context.io.signal });
    if (out.isJson) {
      out.json(blame);
      return undefined;
    }
    noteAsOf(context, reader);
    printBlame(out, blame);
    return undefined;
  },
});

function printBlame(out: Output, { of, fields, erased }: Blame): void {
  if (erased !== undefined) {
    const { position, cause } = erased;
    out.line(
      `The content of ${printable(`${of.recordId}@${of.version}`)} was erased at position ${position}: ${printable(cause)}`,
    );
  }
  out.table(
    [
      { title: "VERSION", align: "right" },
      { title: "POSITION", align: "right" },
      { title: "RECORDED" },
      { title: "ACTOR" },
      { title: "FIELD" },
      { title: "VALUE", flexible: true },
      { title: "WHY", flexible: true },
    ],
    fields.map((field) => [
      String(field.version),
      String(field.position),
      shortTime(field.recordedAt),
      printable(field.actor ?? ""),
      printable(field.pointer),
      printable(JSON.stringify(field.value)),
      printable(whyText(field)),
    ]),
  );
}

function whyText({ reason, restores, isErased, isErasedBefore }: BlameField): string {
  const words = [
    isErased === true ? "(erased)" : undefined,
    restores === null ? undefined : `restores version ${restores}`,
    reason ?? undefined,
    isErasedBefore === true ? "(what it was before was erased)" : undefined,
  ];
  return words.filter((word) => word !== undefined).join(": ");
}
