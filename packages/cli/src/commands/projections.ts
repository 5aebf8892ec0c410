/** `sennit projections`: how far the read models are, and making one anew. */
import { StoreError } from "@sennit/core";
import type { ProjectionStatus } from "@sennit/projections";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable, type Output } from "../output.ts";
import type { RebuildStep } from "../target/target.ts";

export const command = defineCommand({
  name: "projections",
  summary: "how far the read models are, and making one anew",
  arguments: [
    { name: "rebuild", help: "Make one anew instead of listing all", optional: true },
    { name: "NAME", help: "The projection to make anew", optional: true },
  ],
  flags: [],
  examples: ["sennit projections", "sennit projections rebuild records --json"],
  presentOnly: true,
  async run(context) {
    const { values, out } = context;
    const [action, name] = values.positionals;
    if (action !== undefined && (action !== "rebuild" || name === undefined)) {
      throw new StoreError("usage", "Write: sennit projections [rebuild NAME]", {
        hint: "See: sennit help projections",
        details: { value: action },
      });
    }
    if (name !== undefined) {
      await rebuild(context, name);
      return undefined;
    }
    const projections = await (await context.target()).projections();
    if (out.isJson) out.json({ projections });
    else showAll(out, projections);
    return undefined;
  },
});

async function rebuild(context: Context, name: string): Promise<void> {
  const { out, io } = context;
  const target = await context.target();
  const onProgress = ({ position, head, etaSeconds }: RebuildStep) => {
    const left = etaSeconds === null ? "" : `, ${Math.ceil(etaSeconds)} s left`;
    out.progress(`made anew up to ${position} of ${head}${left}`);
  };
  const made = target.rebuildProjection(name, { signal: io.signal, onProgress });
  const status = await made.finally(() => out.progressDone());
  if (out.isJson) {
    out.json(status);
    return;
  }
  out.line(
    `${name} made anew from ${plural(status.position, "event")}, state hash ${status.stateHash}`,
  );
}

function showAll(out: Output, all: readonly ProjectionStatus[]): void {
  out.table(
    [
      { title: "NAME" },
      { title: "VERSION", align: "right" },
      { title: "STATE" },
      { title: "POSITION", align: "right" },
      { title: "LAG", align: "right" },
      { title: "EVENTS/S", align: "right" },
      { title: "STATE HASH" },
      { title: "FAILURE", flexible: true },
    ],
    all.map(({ name, version, state, position, lag, eventsPerSecond, stateHash, failure }) => [
      name,
      String(version),
      state,
      String(position),
      String(lag),
      String(eventsPerSecond),
      stateHash,
      printable(failure === null ? "" : failure.message),
    ]),
  );
}
