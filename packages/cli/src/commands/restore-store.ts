/** `sennit restore-store`: makes a store from a backup. */
import { resolve } from "node:path";

import { restoreStore } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "restore-store",
  summary: "make a store from a backup",
  arguments: [
    { name: "BACKUP", help: "The directory of a backup" },
    { name: "DIR", help: "The new store: a directory that is not there, or empty" },
  ],
  flags: [
    {
      name: "then",
      type: "string",
      value: "BACKUP",
      multiple: true,
      help: "A backup that goes on where the one before it ends",
    },
  ],
  examples: [
    "sennit restore-store /mnt/backups/run-7 ./run-7",
    "sennit restore-store ./backup ./run-7 --then ./after-812",
  ],
  presentOnly: true,
  async run({ values, out, io }) {
    const chain = [values.argument(0), ...values.texts("then")].map((path) =>
      resolve(io.cwd, path),
    );
    const directory = resolve(io.cwd, values.argument(1));
    const result = await restoreStore(chain, directory, {
      signal: io.signal,
      onProgress: (position) => out.progress(`restored ${position}`),
    });
    out.progressDone();
    if (out.isJson) {
      out.json({ store: directory, ...result });
      return undefined;
    }
    out.line(`The store in ${printable(directory)} holds ${plural(result.head, "event")}.`);
    out.line(`root ${result.root}, as the backup says`);
    out.note(
      result.signingKey
        ? "It signs with the key of the store backed up: never write to both."
        : "It signs with a new key, because the backup holds none.",
    );
    return undefined;
  },
});
