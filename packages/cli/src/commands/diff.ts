/** `sennit diff`: what differs between two versions, or between two instants of the whole store. */
import {
  parseAsOf,
  StoreError,
  type FieldChange,
  type RecordDiff,
  type StoreChange,
} from "@sennit/core";

import { kindAndName } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable, type Output } from "../output.ts";

export const command = defineCommand({
  name: "diff",
  summary: "what differs between two versions, or two instants",
  arguments: [
    { name: "REF@A", optional: true, help: "The version before" },
    { name: "REF@B", optional: true, help: "The version after" },
  ],
  flags: [
    { name: "from", type: "string", value: "INSTANT", help: "The whole store: the instant before" },
    {
      name: "to",
      type: "string",
      value: "INSTANT",
      help: "The whole store: the instant after; default: now",
    },
  ],
  examples: [
    "sennit diff cfg-1@1 cfg-1@2",
    "sennit diff --from submitted-paper --to 2026-03-09T00:00:00Z",
  ],
  async run(context) {
    const { values } = context;
    const [before, after] = values.positionals;
    const from = values.text("from");
    const hasInstants = from !== undefined || values.has("to");
    if (from !== undefined && before === undefined) return diffStore(context, from);
    if (before === undefined || after === undefined || hasInstants) {
      throw new StoreError("usage", "diff takes two versions, or --from and --to.", {
        hint: "Write it like: sennit diff REF@1 REF@2",
      });
    }
    const reader = await context.reader();
    const diff = await reader.diff(await context.resolve(before), await context.resolve(after));
    if (context.out.isJson) context.out.json(diff);
    else printRecordDiff(context.out, diff);
    return undefined;
  },
});

async function diffStore(context: Context, from: string): Promise<undefined> {
  const { values, out } = context;
  const to = values.text("to");
  if (to !== undefined && values.has("as-of")) {
    throw new StoreError("usage", "--to and --as-of both name the instant after: give one.", {
      hint: "See: sennit help diff",
      details: { flag: "--as-of" },
    });
  }
  const store = await context.store();
  const before = await store.at(parseAsOf(from));
  const after = await store.at(to === undefined ? context.asOf : parseAsOf(to));
  if (before.asOf > after.asOf) {
    throw new StoreError(
      "argument-invalid",
      `--from is position ${before.asOf}, after --to at ${after.asOf}.`,
      {
        hint: "Give the earlier instant first.",
        details: { flag: "--from" },
      },
    );
  }
  const changes = after.changes(before.asOf, { signal: context.io.signal });
  const head = { from: before.asOf, to: after.asOf };
  if (out.isJson) await out.jsonList(head, "records", changes);
  else await printStoreDiff(out, head, changes);
  return undefined;
}

function printRecordDiff(out: Output, { from, to, changes }: RecordDiff): void {
  out.line(printable(`${from.recordId}@${from.version} -> ${to.recordId}@${to.version}`));
  if (changes.length === 0) out.line("no difference");
  for (const change of changes) printChange(out, change);
}

/** Prints the changes as they come, and at the end how many there were. */
async function printStoreDiff(
  out: Output,
  { from, to }: { readonly from: number; readonly to: number },
  records: AsyncIterable<StoreChange>,
): Promise<void> {
  out.line(`position ${from} -> ${to}`);
  let count = 0;
  for await (const record of records) {
    count += 1;
    const { recordId, changes, fromVersion, toVersion, fields } = record;
    const versions = fromVersion === null ? `@${toVersion}` : `@${fromVersion} -> @${toVersion}`;
    const what = changes.map((change) => styleChange(out, change)).join(", ");
    out.line(
      `${what}  ${out.style("bold", printable(recordId))} ${versions}  ${kindAndName(record)}`,
    );
    for (const change of fields) printChange(out, change);
  }
  out.line(`${plural(count, "record")} changed`);
}

function styleChange(out: Output, change: StoreChange["changes"][number]): string {
  const styles = {
    created: "green",
    updated: "cyan",
    withdrawn: "red",
    restored: "green",
    touched: "dim",
  } as const;
  return out.style(styles[change], change);
}

function printChange(out: Output, { pointer, before, after }: FieldChange): void {
  out.line(`  ${printable(pointer)}`);
  if (before !== undefined) out.line(out.style("red", `  - ${printable(JSON.stringify(before))}`));
  if (after !== undefined) out.line(out.style("green", `  + ${printable(JSON.stringify(after))}`));
}
