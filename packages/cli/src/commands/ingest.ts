/** `sennit ingest`: stores events from NDJSON. */
import { isStoreError, StoreError, type LineResult } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { LineReport } from "../line-report.ts";
import { linesInput, wayToLines } from "../lines-input.ts";

/** What holds of lines that were not told of. */
const afterFailure =
  "what became of the lines up to there counts, of later ones it is not known. Lines with an id can be sent again.";

export const command = defineCommand({
  name: "ingest",
  summary: "store events from NDJSON",
  arguments: [
    { name: "FILE|-", help: "A file with one event on each line, or - for standard input" },
  ],
  flags: [
    { name: "atomic", type: "boolean", help: "All or nothing, up to 10000 events" },
    { name: "batch", type: "string", value: "N", help: "Events to a batch, 1-10000; default 1000" },
    {
      name: "results",
      type: "boolean",
      help: "Tell what became of each line, as soon as it is known",
    },
  ],
  examples: [
    "sennit ingest events.ndjson",
    "zcat run-7.ndjson.gz | sennit ingest - --atomic --json",
  ],
  presentOnly: true,
  async run(context) {
    const { values, out, io } = context;
    const batchEvents = values.integer("batch", 1, 10_000) ?? 1000;
    const target = await context.target();
    const isAtomic = values.flag("atomic");
    const path = values.argument(0);
    let way: string | undefined;
    const report = new LineReport(out, values.flag("results"));
    const options = {
      atomic: isAtomic,
      batchEvents,
      actor: context.actor,
      signal: io.signal,
      onResults(results: readonly LineResult[]) {
        report.add(results);
        out.progress(`${report.settled} lines, head at ${target.store.head}`);
      },
    };
    const summary = await target
      .ingest(
        linesInput(io, path, (start) => {
          way = wayToLines(start, path);
        }),
        options,
      )
      .catch((error: unknown) => {
        out.progressDone();
        if (!out.isJson && !(isNoText(error) && report.settled === 0)) {
          out.note(`It failed behind line ${report.settled}: ${afterFailure}`);
        }
        throw error;
      });
    out.progressDone();
    report.end(summary, isAtomic);
    if (way !== undefined && summary.stored + summary.duplicates === 0 && !out.isJson) {
      out.note(`hint: one event on each line is made with: ${way}`);
    }
    if (io.signal.aborted)
      throw new StoreError(
        "aborted",
        "Stopped; what was stored stays, and the file can be sent again.",
      );
    return summary.refused > 0 ? exitCodes.invalid : 0;
  },
});

/** Whether nothing can have been stored, since nothing was read. */
function isNoText(error: unknown): boolean {
  return isStoreError(error) && error.code === "file-unreadable";
}
