/** `sennit replay`: a decision and its inputs as they stood, and what became of them. */
import { StoreError, type Replay, type Verdict } from "@sennit/core";

import { nameText } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural, printable, type Output } from "../output.ts";
import { writeReplay } from "../replay-files.ts";

export const command = defineCommand({
  name: "replay",
  summary: "a decision and its inputs as they stood",
  arguments: [{ name: "REF[@V]", help: "The decision: any record version" }],
  flags: [
    {
      name: "out",
      type: "string",
      value: "DIR",
      help: "Write the closure as files, with a manifest of digests",
    },
    {
      name: "check",
      type: "boolean",
      help: "Compare with today: exit 4 when an input has changed",
    },
  ],
  examples: ["sennit replay decision-1 --check", "sennit replay decision-1 --out ./decision-1"],
  async run(context) {
    const { values, out, io } = context;
    const directory = values.text("out");
    if (directory === "") {
      throw new StoreError("argument-invalid", "--out is empty.", {
        hint: "Name a new or an empty directory.",
        details: { flag: "--out" },
      });
    }
    const reader = await context.reader();
    const ref = await context.resolve(values.argument(0));
    const replay = await reader.replay(ref, { signal: io.signal });
    const files =
      directory === undefined
        ? undefined
        : await writeReplay(io.cwd, directory, replay, reader.asOf);
    if (out.isJson) out.json(replay);
    else printReplay(context, replay);
    if (files !== undefined && directory !== undefined)
      out.note(`wrote ${plural(files, "file")} and manifest.json to ${printable(directory)}`);
    const changed = replay.verdicts.filter(({ verdict }) => verdict !== "same").length;
    if (!values.flag("check") || changed === 0) return undefined;
    const error = differs(changed, replay);
    out.note(out.isJson ? JSON.stringify(error) : error.message);
    return exitCodes[error.category];
  },
});

function differs(changed: number, { verdicts }: Replay): StoreError {
  return new StoreError(
    "replay-differs",
    `${changed} of ${plural(verdicts.length, "input")} differ from what was decided on.`,
  );
}

function printReplay(
  { out }: Context,
  { decision, decidedAt, closure, verdicts, digest }: Replay,
): void {
  const ref = out.style("bold", printable(`${decision.id}@${decision.version}`));
  out.line(`${ref}  ${printable(decision.kind)} ${printable(JSON.stringify(decision.name))}`);
  out.fields([
    ["decided", `${out.time(decision.recordedAt)} at position ${decidedAt}`],
    ["actor", decision.actor === null ? undefined : printable(decision.actor)],
    ["rested on", plural(verdicts.length, "input")],
    ["digest", digest ?? "none: content of it has been erased"],
  ]);
  if (verdicts.length === 0) return;
  const byRef = new Map(closure.map((record) => [`${record.id}@${record.version}`, record]));
  out.table(
    [
      { title: "INPUT" },
      { title: "KIND" },
      { title: "NAME", flexible: true },
      { title: "TODAY" },
      { title: "NOW AT" },
    ],
    verdicts.map(({ recordId, version, verdict, now }) => {
      const record = byRef.get(`${recordId}@${version}`);
      return [
        printable(`${recordId}@${version}`),
        printable(record?.kind ?? ""),
        record === undefined ? "" : nameText(out, record),
        styleVerdict(out, verdict),
        `@${now}`,
      ];
    }),
  );
}

function styleVerdict(out: Output, verdict: Verdict): string {
  const styles = {
    same: "green",
    superseded: "yellow",
    "withdrawn-since": "red",
    "already-withdrawn": "red",
  } as const;
  return out.style(styles[verdict], verdict);
}
