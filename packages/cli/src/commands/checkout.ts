/** `sennit checkout`: the state of the store at an instant, as files. */
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";

import { StoreError } from "@sennit/core";

import { writeCheckout } from "../checkout/write-checkout.ts";
import { defineCommand } from "../command.ts";
import { isInside } from "../inside.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "checkout",
  summary: "write the records of an instant as files",
  arguments: [],
  flags: [
    {
      name: "out",
      type: "string",
      value: "DIR",
      help: "The directory to make; it must be absent or empty (required)",
    },
  ],
  examples: [
    "sennit checkout --as-of submitted-paper --out ./submitted",
    "sennit checkout --as-of 2026-03-02T10:00:00Z --out ./march --json",
  ],
  async run(context) {
    const { values, out, io } = context;
    const directory = resolve(
      io.cwd,
      values.required("out", "Name a new or an empty directory with --out DIR."),
    );
    const { store, directory: storeDirectory } = await context.target();
    const reader = await context.reader();
    // What is written goes where a link leads.
    const place = await realpath(directory).catch(() => directory);
    if (storeDirectory !== undefined && (await isInside(storeDirectory, place))) {
      throw new StoreError(
        "argument-invalid",
        `${printable(directory)} is inside the directory of the store.`,
        {
          hint: "Name a directory elsewhere: what stands there belongs to the store.",
          details: { flag: "--out", path: directory },
        },
      );
    }
    const checkout = await writeCheckout(reader, directory, {
      storeId: store.storeId,
      signal: io.signal,
      onProgress: (records) => out.progress(`wrote ${plural(records, "record")}`),
    });
    out.progressDone();
    if (out.isJson) {
      out.json({ directory, ...checkout });
      return undefined;
    }
    const { position, root, records } = checkout;
    out.line(`${plural(records, "record")} as of position ${position} in ${printable(directory)}`);
    out.line(`root ${root}`);
    return undefined;
  },
});
