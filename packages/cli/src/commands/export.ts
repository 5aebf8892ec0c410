/** `sennit export`: writes the whole log into one file. */
import { randomUUID } from "node:crypto";
import { lstat, open, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";

import { exportForms, StoreError, type ExportFormName, type ExportSummary } from "@sennit/core";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { isInside } from "../inside.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "export",
  summary: "write the whole log into one file",
  arguments: [
    { name: "FILE", optional: true, help: "The file to write; default: -, the standard output" },
  ],
  flags: [
    {
      name: "format",
      type: "string",
      value: "FORMAT",
      help: `What to write: ${exportForms.join(" or ")}; default: ndjson`,
    },
    { name: "force", type: "boolean", help: "Replace FILE when it is there" },
    { name: "unsigned", type: "boolean", help: "Leave out the signed checkpoint" },
  ],
  examples: ["sennit export run-7.ndjson", "sennit export run-7.msgpack --format msgpack --json"],
  presentOnly: true,
  async run(context) {
    const { values, out, io } = context;
    const format = formOf(values.text("format") ?? "ndjson");
    const name = values.positionals[0] ?? "-";
    if (name === "-") return toStandardOutput(context, format);
    const path = resolve(io.cwd, name);
    const { bytes, ...summary } = await toFile(context, format, path);
    out.progressDone();
    if (out.isJson) {
      out.json({ file: path, format, bytes, ...summary });
      return undefined;
    }
    out.line(`${plural(summary.head, "event")} in ${printable(path)}, ${bytes} bytes`);
    out.line(`root ${summary.root}`);
    out.note(`Next: sennit import ${JSON.stringify(printable(name))} NEW-DIR`);
    return undefined;
  },
});

/**
 * Refuses what must not be replaced.
 *
 * @throws `argument-invalid` for what is no file, and for a path inside the store; `file-exists` without `--force`
 */
async function assertWritable(
  { values }: Context,
  path: string,
  store: string | undefined,
): Promise<void> {
  const details = { path };
  const named = printable(path);
  const meant = await stat(path).catch(() => undefined);
  if (meant !== undefined && !meant.isFile()) {
    const what = meant.isDirectory() ? "a directory" : "no regular file";
    throw new StoreError("argument-invalid", `${named} is ${what}.`, {
      hint: "Name a new file; the standard output is -.",
      details,
    });
  }
  if (store !== undefined && (await isInside(store, path))) {
    throw new StoreError("argument-invalid", `${named} is inside the directory of the store.`, {
      hint: "Name a file elsewhere: what stands there belongs to the store.",
      details,
    });
  }
  const isThere = (await lstat(path).catch(() => undefined)) !== undefined;
  if (isThere && !values.flag("force")) {
    throw new StoreError("file-exists", `${named} is there already.`, { details });
  }
}

/** Writes under another name first, so that a file which is there stays until the new one is whole. */
async function toFile(
  context: Context,
  format: ExportFormName,
  path: string,
): Promise<ExportSummary & { readonly bytes: number }> {
  // The store is opened before there is a file.
  const { directory } = await context.target();
  await assertWritable(context, path, directory);
  // A name that nothing has: neither somebody's file nor what a run left that was killed.
  const partial = `${path}.partial-${randomUUID()}`;
  let bytes = 0;
  const file = await open(partial, "wx");
  try {
    const summary = await written(context, format, async (part) => {
      await file.appendFile(part);
      bytes += part.length;
    });
    await file.sync();
    await file.close();
    // Somebody may have put something there meanwhile.
    await assertWritable(context, path, directory);
    await rename(partial, path);
    return { ...summary, bytes };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw error;
  }
}

function formOf(name: string): ExportFormName {
  const form = exportForms.find((candidate) => candidate === name);
  if (form !== undefined) return form;
  throw new StoreError(
    "argument-invalid",
    `--format must be ${exportForms.join(" or ")}, and ${JSON.stringify(name)} is not.`,
    { details: { flag: "--format", value: name } },
  );
}

async function toStandardOutput(context: Context, format: ExportFormName): Promise<undefined> {
  if (format !== "ndjson" || context.out.isJson) {
    const what = context.out.isJson ? "--json prints what was written" : `${format} is no text`;
    throw new StoreError("usage", `${what}, so the export needs a file of its own.`, {
      hint: "Name a file: sennit export FILE",
      details: { argument: "FILE" },
    });
  }
  await written(context, format, (part) => {
    context.io.stdout(Buffer.from(part).toString("utf8"));
    return Promise.resolve();
  });
  context.out.progressDone();
  return undefined;
}

/** Hands on the export in pieces, each of whole lines. */
async function written(
  context: Context,
  format: ExportFormName,
  write: (part: Uint8Array) => Promise<void>,
): Promise<ExportSummary> {
  const { values, out, io } = context;
  const store = await context.store();
  const parts = store.export({
    format,
    checkpoint: !values.flag("unsigned"),
    signal: io.signal,
    onProgress: (position) => out.progress(`exported ${position} of ${store.head}`),
  });
  for (let next = await parts.next(); ; next = await parts.next()) {
    if (next.done === true) return next.value;
    if (io.readerLeft?.aborted !== true) await write(next.value);
  }
}
