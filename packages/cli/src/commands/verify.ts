/** `sennit verify`: checks all that a store holds. */
import {
  planRepair,
  repairStore,
  StoreError,
  type RepairPlan,
  type VerifyOptions,
  type VerifyProgress,
  type VerifyReport,
} from "@sennit/core";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "verify",
  summary: "check every stored byte of the log",
  arguments: [],
  flags: [
    { name: "repair", type: "boolean", help: "Say what a repair would keep and what would go" },
    { name: "yes", type: "boolean", help: "With --repair: do it; the damaged log is kept" },
  ],
  examples: [
    "sennit verify",
    "sennit verify --store ./beamline-7 --json",
    "sennit verify --repair",
  ],
  presentOnly: true,
  async run(context) {
    const { out, io, values } = context;
    const onProgress = ({ position, head, bytes, eventsPerSecond }: VerifyProgress) =>
      out.progress(
        `verified ${position} of ${head}, ${mebibytes(bytes)} (${eventsPerSecond} events/s)`,
      );
    if (values.flag("repair")) return repair(context, { signal: io.signal, onProgress });
    if (values.flag("yes")) {
      throw new StoreError("usage", "--yes belongs to --repair.", { details: { flag: "--yes" } });
    }
    const store = await context.store();
    const report = await store.verify({ signal: io.signal, onProgress });
    out.progressDone();
    if (out.isJson) out.json(report);
    else printReport(context, report);
    return report.ok ? 0 : exitCodes.corrupt;
  },
});

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function printReport({ out }: Context, report: VerifyReport): void {
  const { head, events, records, bytes, seconds, eventsPerSecond, problems } = report;
  for (const { position, code, message } of problems) {
    const where = position === 0 ? "" : ` at position ${position}`;
    out.line(`${out.style("red", code)}${where}: ${printable(message)}`);
  }
  const others = report.problemCount - problems.length;
  if (others > 0) out.line(`and ${plural(others, "other problem")}`);
  if (report.ok) out.line(`${out.style("green", "ok")}  head at ${head}`);
  else if (report.intactUntil === head) out.line(`all ${plural(head, "event")} are intact`);
  else {
    const damaged = plural(report.unreadable, "event");
    out.line(`${damaged} unreadable; intact up to position ${report.intactUntil} of ${head}`);
  }
  const rate = `${mebibytes(bytes)} in ${seconds.toFixed(1)} s (${eventsPerSecond} events/s)`;
  out.line(`checked ${plural(events, "event")}, ${plural(records, "record")}, ${rate}`);
}

/** Prints the plan, and with `--yes` carries it out. */
async function repair(context: Context, options: VerifyOptions): Promise<number> {
  const { out, io, values } = context;
  const directory = context.storeDirectory("A repair");
  const isWanted = values.flag("yes");
  const result = isWanted
    ? await repairStore(directory, { ...options, clock: io.clock })
    : { plan: await planRepair(directory, options), repair: null, keysLost: 0 };
  out.progressDone();
  const { plan, keysLost } = result;
  if (out.isJson) out.json(result);
  else {
    printPlan(context, plan);
    if (result.repair !== null) {
      out.line(`${out.style("green", "repaired")}  head at ${result.repair.new.head}`);
      if (keysLost > 0) out.line(`${plural(keysLost, "idempotency key")} lost`);
      out.line(`the damaged log is kept in ${result.repair.damagedLog}`);
    } else if (plan.action !== "sound") out.line("nothing has been changed; to do it, add --yes");
  }
  return plan.action === "sound" || isWanted ? 0 : exitCodes.corrupt;
}

function printPlan(context: Context, plan: RepairPlan): void {
  const { out } = context;
  const { action, keep, cut, proven, acknowledged, damagedFiles, lostErasure } = plan;
  if (action === "sound") {
    out.line(`nothing to repair: all ${plural(keep, "event")} are intact`);
    return;
  }
  for (const { position, code, message } of plan.problems.slice(0, 10)) {
    const where = position === 0 ? "" : ` at position ${position}`;
    out.line(`${out.style("red", code)}${where}: ${printable(message)}`);
  }
  const others = plan.problemCount - Math.min(plan.problems.length, 10);
  if (others > 0) out.line(`and ${plural(others, "other problem")}`);
  if (damagedFiles.length > 0) out.line(`damaged files: ${damagedFiles.join(", ")}`);
  if (cut === null) {
    out.line(`no position goes: all ${plural(keep, "event")} are intact`);
    out.line("what stands beside them is made again from them");
    if (proven < keep) {
      out.line(
        "not proven: whether events are missing at the end, or others were stored, is not known",
      );
    }
    return;
  }
  const stays = keep === 0 ? "nothing stays" : `positions 1 to ${keep} stay`;
  out.line(`${stays}${keep === 0 ? "" : provenText(proven, keep)}`);
  const range =
    cut.events === 1 ? `position ${cut.from} goes` : `positions ${cut.from} to ${cut.to} go`;
  out.line(out.style("red", `${range}: ${plural(cut.events, "event")}`));
  if (lostErasure !== null) printLostErasure(context, lostErasure);
  if (acknowledged > 0) out.line(`events up to ${acknowledged} were acknowledged`);
  for (const { recordId, from, to } of plan.records.slice(0, 20)) {
    const versions = from === to ? `version ${from}` : `versions ${from} to ${to}`;
    out.line(`  ${printable(recordId)} loses ${versions}`);
  }
  const more = plan.recordCount - Math.min(plan.records.length, 20);
  if (more > 0) out.line(`  and ${plural(more, "other record")}`);
  out.line("if there is a backup, restore that first: it may hold what would go");
}

function printLostErasure(
  { out }: Context,
  { position, erasedBy, intactUntil }: NonNullable<RepairPlan["lostErasure"]>,
): void {
  const what =
    position === intactUntil
      ? `position ${position} is intact and goes`
      : `positions ${position} to ${intactUntil} are intact and go`;
  out.line(
    `${what} too: content at ${position} was erased by position ${erasedBy}, without which the log cannot say why it is missing`,
  );
}

function provenText(proven: number, keep: number): string {
  if (proven >= keep) return ", proven by their Merkle root";
  return proven === 0
    ? ", not proven: by checksums alone"
    : `, proven up to ${proven} by their Merkle root; the rest by checksums alone`;
}
