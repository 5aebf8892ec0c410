/** `sennit at`: the whole store at an instant in a few figures. */
import { parseAsOf, StoreError, type KindSummary, type StoreSummary } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { printable, type Column, type Output } from "../output.ts";

export const command = defineCommand({
  name: "at",
  summary: "the store at an instant in a few figures",
  arguments: [
    {
      name: "INSTANT",
      optional: true,
      help: "A position, an RFC 3339 time or a label; default: now",
    },
  ],
  flags: [{ name: "stale", type: "boolean", help: "Count what is stale too, which takes longer" }],
  examples: ["sennit at submitted-paper", "sennit at 2026-03-02T10:00:00Z --stale --json"],
  async run(context) {
    const { values, out, io } = context;
    const instant = values.positionals[0];
    if (instant !== undefined && values.has("as-of")) {
      throw new StoreError("usage", "INSTANT and --as-of name the same thing: give one.", {
        hint: "See: sennit help at",
        details: { flag: "--as-of" },
      });
    }
    const store = await context.store();
    const reader = await store.at(instant === undefined ? context.asOf : parseAsOf(instant));
    const summary = await reader.summary({ stale: values.flag("stale"), signal: io.signal });
    if (out.isJson) out.json(summary);
    else printSummary(out, summary);
    return undefined;
  },
});

function printSummary(out: Output, summary: StoreSummary): void {
  const { asOf, root, firstRecordedAt, lastRecordedAt, events, kinds, labels } = summary;
  out.fields([
    ["position", String(asOf)],
    ["first event", firstRecordedAt === null ? undefined : out.time(firstRecordedAt)],
    ["last event", lastRecordedAt === null ? undefined : out.time(lastRecordedAt)],
    [
      "events",
      `${events.created} created, ${events.updated} updated, ${events.invalidated} invalidated`,
    ],
    ["records", `${summary.records}: ${countsText(summary)}`],
    ["root", root],
  ]);
  if (kinds.length > 0) printKinds(out, kinds);
  if (labels.length === 0) return;
  out.line();
  out.table(
    [{ title: "LABEL" }, { title: "POSITION", align: "right" }],
    labels.map(({ name, position }) => [printable(name), String(position)]),
  );
}

function countsText({ valid, withdrawn, stale }: StoreSummary): string {
  const words = [`${valid} valid`, ...(stale === undefined ? [] : [`${stale} of them stale`])];
  return [...words, `${withdrawn} withdrawn`].join(", ");
}

function count(title: string): Column {
  return { title, align: "right" };
}

function printKinds(out: Output, kinds: readonly KindSummary[]): void {
  const hasStale = kinds.some(({ stale }) => stale !== undefined);
  out.line();
  out.table(
    [{ title: "KIND" }, count("VALID"), ...(hasStale ? [count("STALE")] : []), count("WITHDRAWN")],
    kinds.map(({ kind, valid, withdrawn, stale }) => [
      printable(kind),
      String(valid),
      ...(hasStale ? [String(stale ?? 0)] : []),
      String(withdrawn),
    ]),
  );
}
