/** `sennit projections`: how far the read models are, and making one anew. */
import { StoreError } from "@sennit/core";
import type { ProjectionProgress, Views } from "@sennit/projections";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable, type Output } from "../output.ts";

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
        details: { value: action },
      });
    }
    const { timelineProjection } = await import("@sennit/projections");
    const views = await context.views([timelineProjection]);
    if (name !== undefined) {
      await rebuild(context, views, name);
      return undefined;
    }
    const all = views.names.map((each) => describe(views.progress(each)));
    if (out.isJson) out.json({ projections: all });
    else showAll(out, all);
    return undefined;
  },
});

/** What `--json` tells of a projection. */
interface Described extends Omit<ProjectionProgress, "failure" | "rebuild"> {
  readonly rebuiltUpTo: number | null;
  readonly failure: ReturnType<StoreError["toJSON"]> | null;
}

async function rebuild({ out, io }: Context, views: Views, name: string): Promise<void> {
  const watch = views.progress$(name).subscribe(({ rebuild: made, head, etaSeconds }) => {
    if (made === null) return;
    const left = etaSeconds === null ? "" : `, ${Math.ceil(etaSeconds)} s left`;
    out.progress(`made anew up to ${made.position} of ${head}${left}`);
  });
  const stop = new Promise<never>((_, reject) => {
    io.signal.addEventListener("abort", () =>
      reject(
        new StoreError("aborted", "The rebuild was stopped; the next opening goes on with it.", {
          cause: io.signal.reason,
        }),
      ),
    );
  });
  try {
    await Promise.race([views.rebuild(name), stop]);
  } finally {
    watch.unsubscribe();
    out.progressDone();
  }
  const progress = describe(views.progress(name));
  if (out.isJson) {
    out.json(progress);
    return;
  }
  out.line(
    `${name} made anew from ${plural(progress.position, "event")}, state hash ${progress.stateHash}`,
  );
}

function describe({ failure, rebuild: made, ...progress }: ProjectionProgress): Described {
  const rebuiltUpTo = made === null ? null : made.position;
  return { ...progress, rebuiltUpTo, failure: failure === null ? null : failure.toJSON() };
}

function showAll(out: Output, all: readonly Described[]): void {
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
