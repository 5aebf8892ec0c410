/** `sennit import`: stores what another tool recorded. */
import { resolve } from "node:path";

import { StoreError } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { importBluesky } from "../import/bluesky.ts";
import { plural } from "../output.ts";

export const command = defineCommand({
  name: "import",
  summary: "store what another tool recorded",
  arguments: [{ name: "FILE", help: "The file, plain or gzip" }],
  flags: [
    { name: "format", type: "string", value: "FORMAT", help: "What the file holds: bluesky" },
  ],
  examples: [
    "sennit import --format bluesky runs.json.gz",
    "sennit import --format bluesky run-7.json --json",
  ],
  presentOnly: true,
  async run(context) {
    const { values, out, io } = context;
    const format = values.required("format", "Say what the file holds: --format bluesky");
    if (format !== "bluesky") {
      throw new StoreError(
        "argument-invalid",
        `--format must be bluesky, and ${JSON.stringify(format)} is not.`,
        {
          details: { flag: "--format", value: format },
        },
      );
    }
    const summary = await importBluesky(
      await context.store(),
      resolve(io.cwd, values.argument(0)),
      {
        actor: context.actor,
        signal: io.signal,
        onProgress: (documents) => out.progress(`${plural(documents, "document")} read`),
      },
    );
    out.progressDone();
    if (out.isJson) {
      out.json(summary);
      return undefined;
    }
    const { runs, open, failed, streams, events, stored, duplicates, head } = summary;
    out.line(
      `${plural(runs, "run")} (${open} open, ${failed} failed), ${plural(streams, "stream")}, ${plural(events, "event")}`,
    );
    out.line(`stored ${stored}, duplicates ${duplicates}, head at ${head}`);
    return undefined;
  },
});
