/** `sennit erase`: destroys the content of events for good. */
import { join } from "node:path";

import type { StoreErasure } from "@sennit/core";

import { versionRange } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { plural, printable, type Output } from "../output.ts";

export const command = defineCommand({
  name: "erase",
  summary: "destroy content for good, and record that it was done",
  arguments: [
    {
      name: "REF[@V]",
      rest: true,
      help: "Records: all their versions so far, or version V and those patched on top of it",
    },
  ],
  flags: [
    { name: "cause", type: "string", value: "TEXT", help: "Why; required. It is kept" },
    { name: "dry-run", type: "boolean", help: "Show what would be erased and change nothing" },
  ],
  examples: [
    'sennit erase scan-7 --cause "consent withdrawn" --dry-run',
    'sennit erase scan-7 scan-8@2 --cause "consent withdrawn"',
  ],
  presentOnly: true,
  async run(context) {
    const { values, out } = context;
    const cause = values.required("cause", 'Say why: --cause "consent withdrawn"');
    const dryRun = values.flag("dry-run");
    const refs: string[] = [];
    for (const ref of values.positionals) refs.push(await context.resolve(ref));
    const target = await context.target();
    const result = await target.erase(refs, { cause, actor: context.actor, dryRun });
    if (out.isJson) out.json(result);
    else printErasure(out, result, dryRun, target.directory);
    return undefined;
  },
});

function printErasure(
  out: Output,
  { position, erased, sameContent, damagedLogs }: StoreErasure,
  dryRun: boolean,
  directory: string | undefined,
): void {
  if (erased.length === 0) {
    out.line("There is nothing left to erase.");
    printDamagedLogs(out, damagedLogs, directory);
    return;
  }
  const versions = erased.reduce((sum, { versions: { from, to } }) => sum + to - from + 1, 0);
  const deed = dryRun ? "would erase" : "erased";
  const where = position === null ? "" : ` at position ${position}`;
  out.line(`${out.style("green", deed)} the content of ${plural(versions, "version")}${where}`);
  for (const { recordId, versions: range } of erased) {
    out.line(`  ${printable(`${recordId}${versionRange(range)}`)}`);
  }
  if (sameContent.length > 0) {
    out.line(`the same content ${dryRun ? "would stay" : "stays"} in`);
    for (const { recordId, versions: range } of sameContent) {
      out.line(`  ${printable(`${recordId}${versionRange(range)}`)}`);
    }
  }
  printDamagedLogs(out, damagedLogs, directory);
  if (dryRun) return;
  out.line(
    "Ids, kinds, sources, times and proofs stay. Backups and exports made before still hold",
  );
  out.line("the content: run sennit backup again on each backup, and delete old exports.");
}

function printDamagedLogs(
  out: Output,
  names: readonly string[],
  directory: string | undefined,
): void {
  if (names.length === 0) return;
  out.line("Damaged logs that repairs have kept may hold the content. Delete them:");
  for (const name of names) out.line(`  ${printable(join(directory ?? "", name))}`);
}
