/** `sennit list`: records that fit a query. */
import type { AsOf } from "@sennit/core";
import {
  parseCursor,
  parseListStatus,
  type Explanation,
  type ListQuery,
} from "@sennit/projections";

import { noteAsOf, recordColumns, recordRow } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable } from "../output.ts";

export const command = defineCommand({
  name: "list",
  summary: "records that fit a query",
  arguments: [
    {
      name: "QUERY",
      optional: true,
      rest: true,
      help: "Words and terms: kind:model tag.loss<0.1 -tag.draft",
    },
  ],
  flags: [
    { name: "kind", type: "string", value: "KIND", help: "Of this kind" },
    { name: "tag", type: "string", multiple: true, value: "K=V", help: "With this tag" },
    { name: "status", type: "string", value: "STATUS", help: "valid, invalid or stale" },
    { name: "limit", type: "string", value: "N", help: "Records at most, 1-10000; default 100" },
    { name: "cursor", type: "string", value: "CURSOR", help: "Where the page before ended" },
    { name: "explain", type: "boolean", help: "Say how the page is found instead of showing it" },
  ],
  takesSigned: true,
  examples: [
    "sennit list --kind model --status valid",
    "sennit list 'kind:model tag.loss<0.1 -tag.draft' --as-of submitted-paper",
  ],
  async run(context) {
    const { values, out } = context;
    const query = readQuery(context);
    const limit = values.integer("limit", 1, 10_000);
    const cursor = values.text("cursor");
    const reader = await context.viewReader(await pageInstant(context, query, cursor));
    const options = { limit, cursor, signal: context.io.signal };
    if (values.flag("explain")) {
      showExplanation(context, await reader.explain(query, options));
      return undefined;
    }
    const page = await reader.list(query, options);
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

function showExplanation({ out }: Context, explanation: Explanation): void {
  if (out.isJson) {
    out.json(explanation);
    return;
  }
  const { asOf, query, index, filter, examined, found } = explanation;
  out.fields([
    ["As of", String(asOf)],
    ["Query", query === "" ? "every record" : printable(query)],
    ["Looked up", printable(index)],
    ["Checked", filter === "" ? "nothing beside it" : printable(filter)],
    ["Examined", plural(examined, "record")],
    ["Found", plural(found, "record")],
  ]);
}

function nothingNote({ asOf, values }: Context, position: number): string {
  if (position > 0) {
    const asksName = values.positionals.some((word) => /\bname[:=][^*]*$/.test(word));
    return asksName
      ? "Nothing fits. name: asks for the whole name; a word by itself finds a part of it."
      : "Nothing fits.";
  }
  return asOf === undefined
    ? "The store is empty. Next: sennit create KIND NAME"
    : "The store was empty then.";
}

function readQuery({ values }: Context): ListQuery {
  const status = values.text("status");
  return {
    where: values.positionals.join(" "),
    kind: values.text("kind"),
    status: status === undefined ? undefined : parseListStatus(status),
    tags: Object.fromEntries(values.tagConditions("tag")),
  };
}

/** Every page of a listing speaks for the instant of the first, also when the store has grown since. */
async function pageInstant(
  context: Context,
  query: ListQuery,
  cursor: string | undefined,
): Promise<AsOf | undefined> {
  if (context.asOf !== undefined || cursor === undefined) return context.asOf;
  const { storeId } = await context.store();
  return { position: parseCursor(cursor, query, storeId).asOf };
}
