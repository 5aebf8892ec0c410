/** `sennit impact`: what an invalidation would withdraw. */
import { parseRef, StoreError, type Impact } from "@sennit/core";

import { noteAsOf, versionRange } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "impact",
  summary: "what an invalidation would withdraw",
  arguments: [{ name: "REF[@V]", help: "The record: all its versions so far, or version V alone" }],
  flags: [{ name: "since", type: "boolean", help: "Version V and all later ones" }],
  examples: [
    "sennit impact calibration-3",
    "sennit impact model/braggnn@2 --as-of submitted-paper",
  ],
  async run(context) {
    checkSince(context, "impact");
    const reader = await context.reader();
    const ref = await context.resolve(context.values.argument(0));
    const impact = await reader.impact(ref, {
      since: context.values.flag("since"),
      signal: context.io.signal,
    });
    noteAsOf(context, reader);
    printImpact(context, impact);
    return undefined;
  },
});

/** @throws `usage` for `--since` without a version to begin with */
export function checkSince({ values }: Context, name: string): void {
  if (!values.flag("since") || parseRef(values.argument(0)).version !== undefined) return;
  throw new StoreError("usage", "--since needs a version: REF@V.", {
    hint: `See: sennit help ${name}`,
    details: { flag: "--since" },
  });
}

/** Prints what would fall, the record itself first. */
export function printImpact({ out }: Context, impact: Impact): void {
  if (out.isJson) {
    out.json(impact);
    return;
  }
  const { withdrawn, actions } = impact;
  const others = new Set(withdrawn.slice(1).map(({ recordId }) => recordId)).size;
  const rest = others === 1 ? "rests" : "rest";
  out.line(
    others === 0
      ? "would withdraw the record itself and nothing else"
      : `would withdraw the record itself and ${plural(others, "record")} that ${rest} on it`,
  );
  out.table(
    [
      { title: "RECORD" },
      { title: "VERSIONS" },
      { title: "KIND" },
      { title: "NAME", flexible: true },
      { title: "THROUGH" },
    ],
    withdrawn.map(({ recordId, versions, kind, name, via, isErased }) => [
      printable(recordId),
      versionRange(versions),
      printable(kind),
      isErased === true ? "(erased)" : printable(name),
      via === null ? "" : printable(`${via.recordId}@${via.version}`),
    ]),
  );
  for (const { recordId, actionId, verdict } of actions) {
    out.line(`action ${printable(actionId)} of ${printable(recordId)}: ${verdict}`);
  }
}
