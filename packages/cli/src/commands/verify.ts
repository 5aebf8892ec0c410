/** `sennit verify`: checks all that a store holds. */
import type { VerifyProgress, VerifyReport } from "@sennit/core";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "verify",
  summary: "check every stored byte of the log",
  arguments: [],
  flags: [],
  examples: ["sennit verify", "sennit verify --store ./beamline-7 --json"],
  presentOnly: true,
  async run(context) {
    const { out, io } = context;
    const store = await context.store();
    const onProgress = ({ position, head, bytes, eventsPerSecond }: VerifyProgress) =>
      out.progress(
        `verified ${position} of ${head}, ${mebibytes(bytes)} (${eventsPerSecond} events/s)`,
      );
    const report = await store.verify({ signal: io.signal, onProgress });
    out.progressDone();
    if (out.isJson) out.json(report);
    else printReport(context, report);
    return report.ok ? 0 : exitCodes.corrupt;
  },
});

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function printReport({ out }: Context, report: VerifyReport): void {
  const { head, events, records, bytes, seconds, eventsPerSecond, problems } = report;
  for (const { position, code, message } of problems) {
    out.line(`${out.style("red", code)} at position ${position}: ${printable(message)}`);
  }
  const others = report.problemCount - problems.length;
  if (others > 0) out.line(`and ${plural(others, "other problem")}`);
  if (report.ok) out.line(`${out.style("green", "ok")}  head at ${head}`);
  else if (report.intactUntil === head) out.line(`all ${plural(head, "event")} are intact`);
  else {
    const damaged = plural(report.unreadable, "event");
    out.line(`${damaged} unreadable; intact up to position ${report.intactUntil} of ${head}`);
  }
  const rate = `${mebibytes(bytes)} in ${seconds.toFixed(1)} s (${eventsPerSecond} events/s)`;
  out.line(`checked ${plural(events, "event")}, ${plural(records, "record")}, ${rate}`);
}
