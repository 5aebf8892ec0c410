/** `sennit ingest`: stores events from NDJSON. */
import { createReadStream } from "node:fs";
import { resolve } from "node:path";

import { StoreError, type IngestSummary } from "@sennit/core";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural, printable } from "../output.ts";

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
    let settled = 0;
    const options = {
      atomic: values.flag("atomic"),
      batchEvents,
      actor: context.actor,
      signal: io.signal,
      onProgress: (lines: number) => {
        settled = lines;
        out.progress(`${lines} lines, head at ${target.store.head}`);
      },
    };
    const summary = await target
      .ingest(openInput(context, values.argument(0)), options)
      .catch((error: unknown) => {
        out.progressDone();
        if (!out.isJson) out.note(`It failed behind line ${settled}: ${afterFailure}`);
        throw error;
      });
    out.progressDone();
    if (out.isJson) out.json(summary);
    else printSummary(context, summary, values.flag("atomic"));
    if (io.signal.aborted)
      throw new StoreError(
        "aborted",
        "Stopped; what was stored stays, and the file can be sent again.",
      );
    return summary.refused > 0 ? exitCodes.invalid : 0;
  },
});

async function* openInput({ io }: Context, path: string): AsyncGenerator<Uint8Array> {
  if (path === "-") {
    yield* io.stdin;
    return;
  }
  try {
    yield* createReadStream(resolve(io.cwd, path)) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new StoreError(
      "file-unreadable",
      `Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
        details: { path },
      },
    );
  }
}

function printSummary(
  { out }: Context,
  { stored, duplicates, refused, head, errors }: IngestSummary,
  atomic: boolean,
): void {
  for (const { line, code, message, hint } of errors) {
    out.note(`line ${line}: ${code}: ${printable(message)}\n  hint: ${hint}`);
  }
  const others = refused - errors.length;
  if (others > 0 && atomic)
    out.note(`and ${plural(others, "other")} ${others === 1 ? "was" : "were"} not stored`);
  else if (others > 0) out.note(`${refused} lines refused, ${errors.length} shown`);
  out.line(`stored ${stored}, duplicates ${duplicates}, refused ${refused}, head at ${head}`);
}
