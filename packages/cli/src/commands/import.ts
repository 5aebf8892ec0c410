/** `sennit import`: stores what another tool recorded, or makes a store from an export. */
import { resolve } from "node:path";

import { StoreError } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { importBluesky } from "../import/bluesky.ts";
import { exportFormatName, importExport, openExport } from "../import-export.ts";
import { plural } from "../output.ts";

export const command = defineCommand({
  name: "import",
  summary: "store what another tool recorded, or an export",
  arguments: [
    { name: "FILE", help: "The file, plain or gzip; an export plain, or - for the standard input" },
    {
      name: "DIR",
      optional: true,
      help: "Of an export: the new store; default: --store, or .sennit here",
    },
  ],
  flags: [
    {
      name: "format",
      type: "string",
      value: "FORMAT",
      help: "What the file holds: bluesky or sennit; an export is recognized without",
    },
    {
      name: "key",
      type: "string",
      value: "KEY",
      help: "Of an export: demand that this verifier key, or the one in this file, signed it",
    },
  ],
  examples: [
    "sennit import --format bluesky runs.json.gz",
    "sennit import run-7.ndjson ./run-7",
    "sennit import run-7.ndjson ./run-7 --key verifier-key.txt",
  ],
  presentOnly: true,
  async run(context) {
    const { values, out, io } = context;
    const name = values.argument(0);
    if (!values.has("format") || values.text("format") === exportFormatName) {
      const source = await openExport(context);
      if (source !== undefined) return importExport(context, source);
    }
    const format = values.required(
      "format",
      name === "-"
        ? "The standard input takes an export of Sennit; name the file of anything else, and its format."
        : "It is no export of Sennit. Say what the file holds: --format bluesky",
    );
    if (values.has("key")) {
      throw new StoreError("usage", "--key belongs to an export of Sennit.", {
        hint: "Leave --key out: what other tools recorded has no checkpoint.",
        details: { flag: "--key" },
      });
    }
    const extra = values.positionals[1];
    if (format === "bluesky" && extra !== undefined) {
      throw new StoreError("usage", `${JSON.stringify(extra)} is one word too many.`, {
        hint: "Name the store with --store DIR",
        details: { command: "import", argument: extra },
      });
    }
    if (format !== "bluesky") {
      throw new StoreError(
        "argument-invalid",
        `--format must be bluesky or sennit, and ${JSON.stringify(format)} is not.`,
        {
          details: { flag: "--format", value: format },
        },
      );
    }
    const summary = await importBluesky(await context.store(), resolve(io.cwd, name), {
      actor: context.actor,
      signal: io.signal,
      onProgress: (documents) => out.progress(`${plural(documents, "document")} read`),
    });
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
