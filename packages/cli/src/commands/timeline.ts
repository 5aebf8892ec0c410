/** `sennit timeline`: how many events there were, and when. */
import { parseTimestamp, StoreError } from "@sennit/core";
import type { Timeline, TimelineBucket, TimelineField, TimelineRow } from "@sennit/projections";

import { noteAsOf } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { printable, type Column } from "../output.ts";

const bucketNames = ["minute", "hour", "day", "month"] as const satisfies readonly TimelineBucket[];
const fieldNames = ["kind", "type", "actor"] as const satisfies readonly TimelineField[];
const typeNames = ["created", "updated", "invalidated"] as const;

/** Cells of the longest bar. */
const barLengthMax = 40;

export const command = defineCommand({
  name: "timeline",
  summary: "how many events there were, and when",
  arguments: [],
  flags: [
    {
      name: "bucket",
      type: "string",
      value: "SIZE",
      help: `Time that is counted together, in UTC: ${bucketNames.join(", ")}; default: day`,
    },
    {
      name: "by",
      type: "string",
      multiple: true,
      value: "FIELD",
      help: `Count apart: ${fieldNames.join(", ")}`,
    },
    { name: "kind", type: "string", value: "KIND", help: "Only records of this kind" },
    {
      name: "type",
      type: "string",
      value: "TYPE",
      help: `Only events of it: ${typeNames.join(", ")}`,
    },
    { name: "who", type: "string", value: "WHO", help: "Only what this actor did" },
    {
      name: "from",
      type: "string",
      value: "TIME",
      help: "From the bucket of this date or RFC 3339 time on",
    },
    {
      name: "to",
      type: "string",
      value: "TIME",
      help: "Up to the bucket of this date's end or RFC 3339 time",
    },
  ],
  examples: [
    "sennit timeline --by kind",
    "sennit timeline --bucket hour --from 2026-03-02T00:00:00Z --to 2026-03-02T23:59:59Z --json",
  ],
  async run(context) {
    const { values, out, io } = context;
    assertDistinct(values.texts("by"));
    const type = chosen("type", values.text("type"), typeNames);
    const query = {
      bucket: chosen("bucket", values.text("bucket"), bucketNames),
      by: values.texts("by").flatMap((name) => chosen("by", name, fieldNames) ?? []),
      kind: values.text("kind"),
      type: type === undefined ? undefined : (`record.${type}` as const),
      actor: values.text("who"),
      from: checkedTime(context, "from"),
      to: checkedTime(context, "to"),
      signal: io.signal,
    };
    const reader = await context.viewReader();
    const timeline = await reader.timeline(query);
    if (out.isJson) {
      out.json(timeline);
      return undefined;
    }
    noteAsOf(context, reader);
    printTimeline(context, timeline);
    return undefined;
  },
});

/** @throws `argument-invalid` for a value that is none of those known */
function chosen<Name extends string>(
  flag: string,
  value: string | undefined,
  known: readonly Name[],
): Name | undefined {
  const found = known.find((name) => name === value);
  if (found !== undefined || value === undefined) return found;
  throw new StoreError(
    "argument-invalid",
    `--${flag} must be one of ${known.join(", ")}, and ${JSON.stringify(value)} is not.`,
    { details: { flag: `--${flag}`, value } },
  );
}

/** @throws `argument-invalid` for a field that is named twice */
function assertDistinct(fields: readonly string[]): void {
  const repeated = fields.find((field, index) => fields.indexOf(field) !== index);
  if (repeated === undefined) return;
  throw new StoreError(
    "argument-invalid",
    `--by names ${JSON.stringify(repeated)} more than once.`,
    {
      details: { flag: "--by", value: repeated },
    },
  );
}

/** The text of a flag for a date or a time. @throws `argument-invalid` for what is neither */
function checkedTime({ values }: Context, flag: "from" | "to"): string | undefined {
  const text = values.text(flag);
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
  if (parseTimestamp(time) !== undefined) return text;
  throw new StoreError(
    "argument-invalid",
    `--${flag} must be a date or an RFC 3339 time with a zone, and ${JSON.stringify(text)} is not.`,
    {
      hint: "Write 2026-03-02 or 2026-03-02T10:00:00Z.",
      details: { flag: `--${flag}`, value: text },
    },
  );
}

function printTimeline({ out, io }: Context, { bucket, by, rows }: Timeline): void {
  if (rows.length === 0) {
    out.note("No events there.");
    return;
  }
  const most = Math.max(...rows.map(({ events }) => events));
  const bar = (events: number) => {
    const length = Math.max(1, Math.round((events / most) * barLengthMax));
    return out.style("cyan", (io.isColorful ? "█" : "#").repeat(length));
  };
  const columns: Column[] = [
    { title: bucket.toUpperCase() },
    ...by.map((field) => ({ title: field.toUpperCase() })),
    { title: "EVENTS", align: "right" },
    { title: "", flexible: true },
  ];
  out.table(
    columns,
    rows.map((row) => [
      startText(row.start, bucket),
      ...by.map((field) => fieldText(row, field)),
      String(row.events),
      bar(row.events),
    ]),
  );
}

function fieldText(row: TimelineRow, field: TimelineField): string {
  const value = row[field] ?? "";
  return printable(field === "type" ? value.slice("record.".length) : value);
}

/** The beginning of a bucket, as far as it says something. */
function startText(start: string, bucket: TimelineBucket): string {
  const length = { minute: 16, hour: 16, day: 10, month: 7 }[bucket];
  const text = start.slice(0, length).replace("T", " ");
  return bucket === "minute" || bucket === "hour" ? `${text}Z` : text;
}
