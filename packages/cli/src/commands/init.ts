/** `sennit init`: makes a store. */
import { join } from "node:path";

import { openStore, renewSigningKey } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { plural, printable } from "../output.ts";
import { newStoreDirectory, storeDirectoryName } from "../target/place.ts";

export const command = defineCommand({
  name: "init",
  summary: "make a store",
  arguments: [{ name: "DIR", optional: true, help: "Its directory; default: .sennit here" }],
  flags: [
    {
      name: "new-key",
      type: "boolean",
      help: "Give a store that is there another signing key; the old one is kept aside",
    },
  ],
  examples: ["sennit init", "sennit init ./beamline-7"],
  presentOnly: true,
  async run({ io, values, out }) {
    const named = values.positionals[0] ?? values.text("store") ?? storeDirectoryName;
    const directory = newStoreDirectory(io.cwd, named, "sennit init");
    const renewed = values.flag("new-key") ? await renewSigningKey(directory) : undefined;
    const store = await openStore(directory, { clock: io.clock });
    const { head } = store;
    await store.close();
    if (out.isJson) {
      out.json({ store: directory, head, ...renewed });
      return undefined;
    }
    if (renewed !== undefined) {
      const { verifierKey, replaced } = renewed;
      out.line(`The store in ${printable(directory)} signs with another key from now on:`);
      out.line(`  ${printable(verifierKey)}`);
      out.line("What was signed before verifies with the old key alone.");
      if (replaced !== null) out.line(`The old key is in ${printable(replaced)}.`);
      return undefined;
    }
    out.line(
      head === 0
        ? `The store in ${printable(directory)} is ready and empty.`
        : `The store in ${printable(directory)} holds ${plural(head, "event")}.`,
    );
    const flag = named === storeDirectoryName ? "" : ` --store ${JSON.stringify(join(named))}`;
    out.note(`Next: sennit create config "run 7"${printable(flag)}`);
    return undefined;
  },
});
