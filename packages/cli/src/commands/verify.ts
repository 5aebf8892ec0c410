/** `sennit verify`: checks every stored byte of the log. */
import { defineCommand } from "../command.ts";
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
    const onProgress = (position: number) => out.progress(`verified ${position} of ${store.head}`);
    const report = await store.verify({ signal: io.signal, onProgress });
    out.progressDone();
    if (out.isJson) out.json(report);
    else if (report.ok) {
      const what = `${plural(report.events, "event")} of ${plural(report.records, "record")}`;
      out.line(`${out.style("green", "ok")}  ${what}, head at ${report.head}`);
    } else {
      for (const { position, code, message } of report.problems) {
        out.line(`${out.style("red", code)} at position ${position}: ${printable(message)}`);
      }
    }
    return report.ok ? 0 : exitCodes.corrupt;
  },
});
