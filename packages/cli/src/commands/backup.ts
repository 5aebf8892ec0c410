/** `sennit backup`: keeps a copy of the store in a directory, and brings it up to date. */
import { resolve } from "node:path";

import { defineCommand } from "../command.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "backup",
  summary: "copy the store into a directory, or bring the copy up to date",
  arguments: [{ name: "DIR", help: "The backup: a new directory, or one that holds a backup" }],
  flags: [
    {
      name: "since",
      type: "string",
      value: "POSITION",
      help: "Begin a new one after this; default auto: go on in DIR, or take all",
    },
    { name: "quick", type: "boolean", help: "Do not read what earlier runs wrote" },
    { name: "without-key", type: "boolean", help: "Leave out the private key that signs" },
  ],
  examples: ["sennit backup /mnt/backups/run-7", "sennit backup ./after-812 --since 812"],
  presentOnly: true,
  async run(context) {
    const { values, out, io } = context;
    const since = values.text("since") === "auto" ? undefined : values.integer("since", 0);
    const target = await context.target();
    const { head } = target.store;
    const result = await target.backup(resolve(io.cwd, values.argument(0)), {
      since,
      quick: values.flag("quick"),
      signingKey: !values.flag("without-key"),
      signal: io.signal,
      onProgress: (position) => out.progress(`backed up ${position} of ${head}`),
    });
    out.progressDone();
    if (out.isJson) {
      out.json(result);
      return undefined;
    }
    const { added, verified, reread, unread, rewritten, directory, signingKey } = result;
    out.line(
      `${plural(added, "event")} added, ${verified} read back and found right, head at ${result.head}`,
    );
    if (reread > 0) out.line(`${plural(reread, "earlier event")} read and unchanged`);
    if (unread > 0) out.line(`${plural(unread, "earlier event")} not read: --quick`);
    if (rewritten > 0)
      out.line(`${plural(rewritten, "segment")} written anew without what was erased`);
    out.line(`root ${result.root}`);
    if (result.since > 0) {
      out.note(`It holds what came after position ${result.since}: keep what holds the rest.`);
    }
    if (signingKey)
      out.note("It holds the store's private key: keep it where only you can read it.");
    out.note(`Next: sennit restore-store ${JSON.stringify(printable(directory))} NEW-DIR`);
    return undefined;
  },
});
