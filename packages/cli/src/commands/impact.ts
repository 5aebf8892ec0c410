/** `sennit impact`: what an invalidation would withdraw. */
import { parseAsOf, parseRef, StoreError, type Impact, type ImpactSince } from "@sennit/core";

import { noteAsOf, versionRange } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable, shortTime, type Output } from "../output.ts";

export const command = defineCommand({
  name: "impact",
  summary: "what an invalidation would withdraw",
  arguments: [{ name: "REF[@V]", help: "The record: all its versions so far, or version V alone" }],
  flags: [
    { name: "since", type: "boolean", help: "Version V and all later ones" },
    {
      name: "at",
      type: "string",
      value: "INSTANT",
      help: "What if it had been known then, and what was made since that rests on it?",
    },
  ],
  examples: [
    "sennit impact calibration-3",
    "sennit impact calibration-3 --at 2026-03-02T10:00:00Z",
    "sennit impact model/braggnn@2 --as-of submitted-paper",
  ],
  async run(context) {
    checkSince(context, "impact");
    const reader = await context.reader();
    const ref = await context.resolve(context.values.argument(0));
    const instant = context.values.text("at");
    const at =
      instant === undefined
        ? undefined
        : (await (await context.store()).at(parseAsOf(instant))).asOf;
    const impact = await reader.impact(ref, {
      at,
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
  const { withdrawn, actions, at, since } = impact;
  const would = at === undefined ? "would withdraw" : `at position ${at} it would have withdrawn`;
  const others = new Set(withdrawn.slice(1).map(({ recordId }) => recordId)).size;
  const rest = others === 1 ? "rests" : "rest";
  out.line(
    others === 0
      ? `${would} the record itself and nothing else`
      : `${would} the record itself and ${plural(others, "record")} that ${rest} on it`,
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
  if (since !== undefined) printSince(out, since);
}

function printSince(out: Output, since: readonly ImpactSince[]): void {
  if (since.length === 0) {
    out.line("nothing made since then rests on it");
    return;
  }
  const rests = since.length === 1 ? "rests" : "rest";
  out.line(`${plural(since.length, "version")} made since then ${rests} on it`);
  out.table(
    [
      { title: "POSITION", align: "right" },
      { title: "RECORDED" },
      { title: "RECORD" },
      { title: "KIND" },
      { title: "NAME", flexible: true },
      { title: "THROUGH" },
    ],
    since.map(({ position, recordedAt, recordId, version, kind, name, via, isErased }) => [
      String(position),
      shortTime(recordedAt),
      printable(`${recordId}@${version}`),
      printable(kind),
      isErased === true ? "(erased)" : printable(name),
      printable(`${via.recordId}@${via.version}`),
    ]),
  );
}
