/** `sennit restore`: makes a new version whose content equals an old one. */
import { parseRef, restored, StoreError } from "@sennit/core";

import { writeOne } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { parseInteger } from "../values.ts";

export const command = defineCommand({
  name: "restore",
  summary: "bring back the content of an old version",
  arguments: [{ name: "REF@V", help: "The record and the version to bring back" }],
  flags: [
    { name: "reason", type: "string", value: "TEXT", help: "Why" },
    {
      name: "expect",
      type: "string",
      value: "VERSION",
      help: "Refuse unless the record is at this version",
    },
  ],
  examples: [
    "sennit restore cfg-1@1",
    'sennit restore model/braggnn@2 --reason "version 3 overfits"',
  ],
  presentOnly: true,
  async run(context) {
    const { values } = context;
    const ref = await context.resolve(values.argument(0));
    const { target, version } = parseRef(ref);
    if (version === undefined) {
      throw new StoreError("usage", "Say which version to bring back: REF@V.", {
        hint: `See the versions with: sennit history ${target}`,
      });
    }
    const old = await (await context.store()).record(ref);
    const expect = values.text("expect");
    const event = restored(old, version, values.text("reason"), {
      expectedVersion:
        expect === undefined ? undefined : parseInteger(expect, "--expect", 1, 0xffff_ffff),
    });
    await writeOne(context, event, `restored version ${version} as`);
    return undefined;
  },
});
