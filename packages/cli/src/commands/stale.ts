/** `sennit stale`: valid records whose sources have moved on. */
import { noteAsOf } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { printable } from "../output.ts";

export const command = defineCommand({
  name: "stale",
  summary: "records whose sources have moved on",
  arguments: [],
  flags: [],
  examples: ["sennit stale", "sennit stale --as-of 2026-03-02T10:00:00Z --json"],
  async run(context) {
    const { out } = context;
    const reader = await context.viewReader();
    const report = await reader.stale({ signal: context.io.signal });
    if (out.isJson) {
      out.json(report);
      return undefined;
    }
    noteAsOf(context, reader);
    if (report.outdated.length === 0) {
      out.note("Nothing is stale.");
      return undefined;
    }
    const byId = new Map(report.records.map((record) => [record.id, record]));
    out.table(
      [
        { title: "RECORD" },
        { title: "KIND" },
        { title: "NAME", flexible: true },
        { title: "RESTS ON" },
        { title: "NOW AT" },
      ],
      report.outdated.map(({ record, source, now }) => [
        printable(`${record.recordId}@${record.version}`),
        printable(byId.get(record.recordId)?.kind ?? ""),
        printable(byId.get(record.recordId)?.name ?? ""),
        printable(`${source.recordId}@${source.version}`),
        `@${now}`,
      ]),
    );
    return undefined;
  },
});
