/** `sennit list`: records that fit a query. */
import { StoreError, type AsOf } from "@sennit/core";
import { parseCursor, parseListQuery, parseListStatus, type ListQuery } from "@sennit/projections";

import { noteAsOf, recordColumns, recordRow } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";

export const command = defineCommand({
  name: "list",
  summary: "records that fit a query",
  arguments: [
    {
      name: "QUERY",
      optional: true,
      rest: true,
      help: "Words and terms: kind:model tag.stage=prod bragg",
    },
  ],
  flags: [
    { name: "kind", type: "string", value: "KIND", help: "Of this kind" },
    { name: "tag", type: "string", multiple: true, value: "K=V", help: "With this tag" },
    { name: "status", type: "string", value: "STATUS", help: "valid, invalid or stale" },
    { name: "limit", type: "string", value: "N", help: "Records at most, 1-10000; default 100" },
    { name: "cursor", type: "string", value: "CURSOR", help: "Where the page before ended" },
  ],
  examples: [
    "sennit list --kind model --status valid",
    "sennit list tag.stage=prod --as-of submitted-paper",
  ],
  async run(context) {
    const { values, out } = context;
    const query = readQuery(context);
    const limit = values.integer("limit", 1, 10_000);
    const cursor = values.text("cursor");
    const reader = await context.viewReader(pageInstant(context, query, cursor));
    const page = await reader.list(query, { limit, cursor });
    if (out.isJson) {
      out.json(page);
      return undefined;
    }
    noteAsOf(context, reader);
    if (page.records.length === 0) {
      out.note(nothingNote(context, reader.asOf));
      return undefined;
    }
    out.table(
      recordColumns,
      page.records.map((record) => recordRow(out, record)),
    );
    if (page.nextCursor !== undefined) out.note(`More with: --cursor ${page.nextCursor}`);
    return undefined;
  },
});

function nothingNote({ asOf }: Context, position: number): string {
  if (position > 0) return "Nothing fits.";
  return asOf === undefined
    ? "The store is empty. Next: sennit create KIND NAME"
    : "The store was empty then.";
}

function readQuery({ values }: Context): ListQuery {
  const query = parseListQuery(values.positionals.join(" "));
  const status = values.text("status");
  const tags = new Map(Object.entries(query.tags ?? {}));
  for (const [key, value] of values.tagTexts("tag")) {
    tags.set(key, oneValue("--tag", key, tags.get(key), value) ?? value);
  }
  return {
    kind: oneValue("--kind", "kind", query.kind, values.text("kind")),
    status: oneValue(
      "--status",
      "status",
      query.status,
      status === undefined ? undefined : parseListStatus(status),
    ),
    tags: Object.fromEntries(tags),
    words: query.words,
  };
}

/** The value of a condition that may be given in two ways. @throws `argument-invalid` when they differ */
function oneValue<T extends string>(
  flag: string,
  what: string,
  before: T | undefined,
  value: T | undefined,
): T | undefined {
  if (before === undefined || value === undefined || before === value) return value ?? before;
  throw new StoreError(
    "argument-invalid",
    `${flag} asks for ${what} ${JSON.stringify(value)}, and ${JSON.stringify(before)} is asked for already.`,
    { hint: "A record has one value there: ask for one.", details: { flag, value } },
  );
}

/** Every page of a listing speaks for the instant of the first, also when the store has grown since. */
function pageInstant(
  context: Context,
  query: ListQuery,
  cursor: string | undefined,
): AsOf | undefined {
  if (context.asOf !== undefined || cursor === undefined) return context.asOf;
  return { position: parseCursor(cursor, query).asOf };
}
