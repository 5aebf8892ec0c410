/** `sennit log`: the events, in order. */
import { isStoreError, StoreError, type ReadOptions, type RecordedEvent } from "@sennit/core";

import { eventColumns, eventRow, noteAsOf } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";

const limitDefault = 100;

export const command = defineCommand({
  name: "log",
  summary: "the events, in order",
  arguments: [{ name: "REF", optional: true, help: "Only the events of this record" }],
  flags: [
    {
      name: "from",
      type: "string",
      value: "POSITION",
      help: "First position; default 1, or the last with --reverse",
    },
    { name: "limit", type: "string", value: "N", help: `Events at most; default ${limitDefault}` },
    { name: "reverse", type: "boolean", help: "Newest first" },
    { name: "follow", type: "boolean", help: "Go on with new events until Ctrl-C" },
  ],
  examples: ["sennit log --reverse --limit 10", "sennit log cfg-1"],
  async run(context) {
    const { values, out, io } = context;
    const from = values.integer("from", 1);
    if (values.flag("follow")) return follow(context, from ?? 1);
    const limit = values.integer("limit", 1, Number.MAX_SAFE_INTEGER - 1) ?? limitDefault;
    const ref = values.positionals[0];
    const reader = await context.reader();
    const recordId = ref === undefined ? undefined : await context.resolveRecord(ref);
    // One more than asked for says whether there is a next page.
    const options = {
      from,
      limit: limit + 1,
      reverse: values.flag("reverse"),
      recordId,
      signal: io.signal,
    };
    const events = await collect(reader.events(options));
    const next = events.length > limit ? events.pop() : undefined;
    if (out.isJson) {
      out.json({
        asOf: reader.asOf,
        events,
        ...(next !== undefined && { nextFrom: next.position }),
      });
      return undefined;
    }
    noteAsOf(context, reader);
    if (events.length === 0) {
      out.note(reader.asOf === 0 ? "The log is empty." : "No events there.");
      return undefined;
    }
    out.table(
      eventColumns,
      events.map((event) => eventRow(out, event)),
    );
    if (next !== undefined) out.note(`More with: --from ${next.position}`);
    return undefined;
  },
});

async function collect(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const collected: RecordedEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

const followRefuses = ["as-of", "limit", "reverse"];

/** Prints events as they come, one line each, until the user stops it. */
async function follow(
  context: Context,
  from: NonNullable<ReadOptions["from"]>,
): Promise<undefined> {
  const { out, io, values } = context;
  const refused = followRefuses.find((name) => values.has(name));
  if (refused !== undefined) {
    throw new StoreError("usage", `--follow has no end, so --${refused} does not go with it.`, {
      hint: "See: sennit help log",
      details: { flag: `--${refused}` },
    });
  }
  const { store, url } = await context.target();
  const ref = values.positionals[0];
  const recordId = ref === undefined ? undefined : await context.resolveRecord(ref);
  if (!out.isJson) {
    const alone = "No other process can open the store meanwhile (many can ask: sennit serve). ";
    out.note(`Following. ${url === undefined ? alone : ""}Ctrl-C ends it.`);
  }
  // Waiting for events alone does not keep a process running.
  const keepAlive = setInterval(() => {}, 0x7fff_ffff);
  try {
    const signal = AbortSignal.any([io.signal, ...(io.readerLeft ? [io.readerLeft] : [])]);
    for await (const event of store.follow({ from, signal })) {
      if (recordId !== undefined && event.recordId !== recordId) continue;
      // One line each, also on a terminal: it is a stream, and has no other ends of its parts.
      if (out.isJson) out.line(JSON.stringify(event));
      else out.line(followLine(out, event));
    }
  } catch (error) {
    // Stopping it is how it ends.
    if (!isStoreError(error) || error.code !== "aborted") throw error;
  } finally {
    clearInterval(keepAlive);
  }
  return undefined;
}

/** Later rows are not known yet, so the columns have widths that fit most. */
const followWidths = [8, 20, 11, 20, 0, 0];

function followLine(out: Output, event: RecordedEvent): string {
  return out.row(eventRow(out, event), followWidths);
}
