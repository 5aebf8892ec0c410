/** `sennit history`: the versions of a record. */
import type { RecordedEvent } from "@sennit/core";

import { noteAsOf, tagText } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { printable, shortTime } from "../output.ts";

export const command = defineCommand({
  name: "history",
  summary: "the versions of a record",
  arguments: [{ name: "REF", help: "The record" }],
  flags: [
    { name: "after", type: "string", value: "VERSION", help: "Only versions after this one" },
    { name: "limit", type: "string", value: "N", help: "Versions at most; default: all" },
  ],
  examples: ["sennit history cfg-1", "sennit history model/braggnn --json"],
  async run(context) {
    const { out } = context;
    const reader = await context.reader();
    const history = await reader.history(await context.resolveRecord(context.values.argument(0)), {
      after: context.values.integer("after", 0),
      limit: context.values.integer("limit", 1),
      signal: context.io.signal,
    });
    if (out.isJson) {
      out.json(history);
      return undefined;
    }
    noteAsOf(context, reader);
    const columns = [
      { title: "VERSION", align: "right" as const },
      { title: "POSITION", align: "right" as const },
      { title: "RECORDED" },
      { title: "EVENT" },
      { title: "STATUS" },
      { title: "ACTOR" },
      { title: "TAGS", flexible: true },
      { title: "CAUSE", flexible: true },
    ];
    const rows = history.versions.map((record, index) => [
      String(record.version),
      String(record.position),
      shortTime(record.recordedAt),
      eventText(history.events[index]),
      out.status(record.status, record.stale),
      printable(record.actor ?? ""),
      tagText(record),
      printable(record.invalidation?.cause ?? ""),
    ]);
    out.table(columns, rows);
    if (history.nextAfter !== undefined) out.note(`More with: --after ${history.nextAfter}`);
    return undefined;
  },
});

function eventText(event: RecordedEvent | undefined): string {
  if (event === undefined) return "";
  const type = event.type.slice("record.".length);
  return event.erasedBy === undefined ? type : `${type}, erased`;
}
