/** `sennit lineage`: what a record rests on, what rests on it, in which ways, and since when. */
import {
  formatRef,
  parseAsOf,
  StoreError,
  type LineageFilter,
  type Reader,
  type Relation,
} from "@sennit/core";

import { noteAsOf } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { printable } from "../output.ts";
import {
  printCommonAncestors,
  printLineageDiff,
  printLineageRefs,
  printPaths,
} from "../lineage-answers.ts";
import { lineageDot, lineageMermaid } from "../lineage-graph.ts";
import { lineageTree } from "../lineage-tree.ts";

const formats = ["tree", "mermaid", "dot"];
/** Each asks a question of its own, about which the flags behind it say nothing. */
const questions: Readonly<Record<string, readonly string[]>> = {
  to: ["with", "since", "refs", "up", "down", "depth", "format"],
  with: ["to", "since", "refs", "up", "down", "depth", "format", "limit"],
  since: ["to", "with", "refs", "format", "limit"],
  refs: ["to", "with", "since", "format", "limit"],
};

export const command = defineCommand({
  name: "lineage",
  summary: "what a record rests on, or what rests on it",
  arguments: [{ name: "REF[@V]", help: "The record: ID, ID@VERSION or KIND/NAME" }],
  flags: [
    { name: "up", type: "boolean", help: "Ancestors: what it rests on (the default)" },
    { name: "down", type: "boolean", help: "Descendants: what rests on it" },
    { name: "depth", type: "string", value: "N", help: "Steps at most" },
    {
      name: "role",
      type: "string",
      multiple: true,
      value: "ROLE",
      help: "Follow only edges with this role",
    },
    {
      name: "relation",
      type: "string",
      multiple: true,
      value: "RELATION",
      help: "Follow only edges with this relation of PROV-DM",
    },
    {
      name: "kind",
      type: "string",
      multiple: true,
      value: "KIND",
      help: "Follow only edges that lead to a version of this kind",
    },
    { name: "to", type: "string", value: "REF[@V]", help: "The paths between the two" },
    { name: "limit", type: "string", value: "N", help: "With --to: paths at most; default: 100" },
    { name: "with", type: "string", value: "REF[@V]", help: "What the two both rest on" },
    {
      name: "since",
      type: "string",
      value: "INSTANT",
      help: "What has joined it, or was withdrawn in it, since then",
    },
    {
      name: "refs",
      type: "boolean",
      help: "Name the versions and no more: fast for large answers",
    },
    { name: "format", type: "string", value: "FORMAT", help: "tree (the default), mermaid or dot" },
  ],
  examples: [
    "sennit lineage decision-1",
    "sennit lineage calibration-3 --down --format mermaid",
    "sennit lineage decision-1 --to calibration-3",
    "sennit lineage calibration-3 --down --since 2026-03-02T10:00:00Z",
  ],
  async run(context) {
    assertOneQuestion(context);
    const { values } = context;
    const reader = await context.reader();
    const ref = await context.resolve(values.argument(0));
    const to = values.text("to");
    const other = values.text("with");
    const since = values.text("since");
    if (to !== undefined) await answerPaths(context, reader, ref, to);
    else if (other !== undefined) await answerCommon(context, reader, ref, other);
    else if (since !== undefined) await answerSince(context, reader, ref, since);
    else if (values.flag("refs")) await answerRefs(context, reader, ref);
    else await answerLineage(context, reader, ref);
    return undefined;
  },
});

function assertOneQuestion({ values }: Context): void {
  if (values.flag("up") && values.flag("down")) {
    throw new StoreError("usage", "Give --up or --down, not both.", {
      details: { flag: "--down" },
    });
  }
  for (const [question, others] of Object.entries(questions)) {
    const other = others.find((name) => values.has(name));
    if (!values.has(question) || other === undefined) continue;
    throw new StoreError("usage", `--${question} and --${other} do not go together.`, {
      hint: "See: sennit help lineage",
      details: { flag: `--${other}` },
    });
  }
  if (values.has("limit") && !values.has("to")) {
    throw new StoreError("usage", "--limit is for --to.", { details: { flag: "--limit" } });
  }
}

function filterOf({ values }: Context): LineageFilter {
  const given = (name: string) => (values.has(name) ? values.texts(name) : undefined);
  // The reader says which words are no relation.
  const relations = given("relation") as Relation[] | undefined;
  return { roles: given("role"), relations, kinds: given("kind") };
}

function walkOf(context: Context) {
  const { values, io } = context;
  return {
    direction: values.flag("down") ? ("descendants" as const) : ("ancestors" as const),
    depth: values.integer("depth", 1),
    signal: io.signal,
    ...filterOf(context),
  };
}

async function answerLineage(context: Context, reader: Reader, ref: string): Promise<void> {
  const { values, out } = context;
  const format = values.text("format") ?? "tree";
  if (!formats.includes(format)) {
    throw new StoreError("argument-invalid", `--format must be one of ${formats.join(", ")}.`, {
      details: { flag: "--format", value: format },
    });
  }
  const lineage = await reader.lineage(ref, walkOf(context));
  if (out.isJson) {
    out.json(lineage);
    return;
  }
  noteAsOf(context, reader);
  const start = await reader.record(`${lineage.of.recordId}@${lineage.of.version}`);
  if (format === "mermaid") out.line(lineageMermaid(lineage, start));
  else if (format === "dot") out.line(lineageDot(lineage, start));
  else for (const line of lineageTree(out, lineage, start)) out.line(line);
}

async function answerRefs(context: Context, reader: Reader, ref: string): Promise<void> {
  const { out } = context;
  const refs = await reader.lineageRefs(ref, walkOf(context));
  if (out.isJson) {
    out.json(refs);
    return;
  }
  noteAsOf(context, reader);
  printLineageRefs(out, refs);
}

async function answerPaths(
  context: Context,
  reader: Reader,
  ref: string,
  to: string,
): Promise<void> {
  const { values, out, io } = context;
  const paths = await reader.paths(ref, await context.resolve(to), {
    ...filterOf(context),
    limit: values.integer("limit", 1, 10_000),
    signal: io.signal,
  });
  if (out.isJson) {
    out.json(paths);
    return;
  }
  noteAsOf(context, reader);
  printPaths(out, paths);
}

async function answerCommon(
  context: Context,
  reader: Reader,
  ref: string,
  other: string,
): Promise<void> {
  const { out, io } = context;
  const options = { ...filterOf(context), signal: io.signal };
  const common = await reader.commonAncestors(ref, await context.resolve(other), options);
  if (out.isJson) {
    out.json(common);
    return;
  }
  noteAsOf(context, reader);
  printCommonAncestors(out, common);
}

async function answerSince(
  context: Context,
  reader: Reader,
  ref: string,
  since: string,
): Promise<void> {
  const { out } = context;
  const store = await context.store();
  const then = await store.at(parseAsOf(since));
  const { asOf } = then;
  if (asOf > reader.asOf) {
    throw new StoreError(
      "argument-invalid",
      `--since is position ${asOf}, after the instant asked about, ${reader.asOf}.`,
      { details: { flag: "--since", value: since } },
    );
  }
  const diff = await reader.lineageDiff(ref, asOf, walkOf(context));
  if (out.isJson) {
    out.json(diff);
    return;
  }
  printLineageDiff(out, diff);
  if (diff.direction === "ancestors") return;
  const before = await then.findRecord(diff.of.recordId);
  if (before === undefined || before.version === diff.of.version) return;
  const had = formatRef({ recordId: before.id, version: before.version });
  const { changes } = await reader.diff(had, formatRef(diff.of));
  if (changes.length === 0) return;
  out.note(
    `At position ${asOf} the record had another content, ${printable(had)}: name another with REF@V.`,
  );
}
