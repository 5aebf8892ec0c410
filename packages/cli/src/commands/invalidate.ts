/** `sennit invalidate`: withdraws versions of a record, and everything that rests on them. */
import { parseRef, StoreError, withdrawn } from "@sennit/core";

import { versionRange, writeOne } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { checkSince, printImpact } from "./impact.ts";

export const command = defineCommand({
  name: "invalidate",
  summary: "withdraw versions and all that rests on them",
  arguments: [{ name: "REF[@V]", help: "The record: all its versions so far, or version V alone" }],
  flags: [
    { name: "cause", type: "string", value: "TEXT", help: "Why; required" },
    { name: "since", type: "boolean", help: "Withdraw version V and all later ones" },
    { name: "no-cascade", type: "boolean", help: "Leave what rests on it valid" },
    { name: "dry-run", type: "boolean", help: "Show what would be withdrawn and store nothing" },
  ],
  examples: [
    'sennit invalidate calibration-3 --cause "detector distance off by 2 mm"',
    "sennit invalidate model/braggnn@2 --since --cause leak --dry-run",
  ],
  async run(context) {
    const { values } = context;
    checkSince(context, "invalidate");
    const ref = await context.resolve(values.argument(0));
    const since = values.flag("since");
    const cascade = !values.flag("no-cascade");
    const { target, version } = parseRef(ref);
    if (values.flag("dry-run")) {
      printImpact(context, await (await context.reader()).impact(ref, { since, cascade }));
      return undefined;
    }
    if (values.text("as-of") !== undefined) {
      throw new StoreError(
        "usage",
        "The past cannot be invalidated; --as-of goes with --dry-run.",
        {
          details: { flag: "--as-of" },
        },
      );
    }
    const cause = values.required("cause", 'Say why: --cause "detector distance off by 2 mm"');
    await writeOne(
      context,
      withdrawn({ target, version }, { cause, since }, { cascade }),
      "withdrew",
      // The event makes a version of its own; what a person wants to see is which ones it withdrew.
      ({ version: made }) =>
        `${target}${versionRange({ from: version ?? 1, to: (since ? undefined : version) ?? made - 1 })}`,
    );
    return undefined;
  },
});
