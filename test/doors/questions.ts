/** One list of questions, each as it is asked in a program, over HTTP and on the command line. */
import type { ViewReader } from "@sennit/projections";

import { oddIds } from "./rich-store.ts";

export interface Question {
  readonly name: string;
  /** The answer as a value whose JSON every door must give. */
  readonly ask: (reader: ViewReader) => Promise<unknown>;
  /** Path and query, but for the instant; undefined for what no address can say. */
  readonly http: string | undefined;
  /** What names the instant in the query. Default `as-of`. */
  readonly instant?: string;
  /** Words of the command line, but for the instant; those behind `--` are no flags. */
  readonly cli?: readonly string[];
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The address of a record; a minus stands for what a path cannot hold. */
function pathOf(ref: string, behind = "", query = ""): string | undefined {
  if (ref === "") return undefined;
  const isStep = ref === "." || ref === "..";
  const words = [isStep ? `ref=${ref}` : "", query].filter((part) => part !== "");
  const part = isStep ? "-" : encodeURIComponent(ref);
  return `/v1/records/${part}${behind}${words.length === 0 ? "" : `?${words.join("&")}`}`;
}

function ofRef(ref: string): Question[] {
  return [
    {
      name: `record ${ref}`,
      ask: (at) => at.record(ref),
      http: pathOf(ref),
      cli: ["show", "--", ref],
    },
    {
      name: `blame ${ref}`,
      ask: (at) => at.blame(ref),
      http: pathOf(ref, "/blame"),
      cli: ["blame", "--", ref],
    },
    {
      name: `outdated sources of ${ref}`,
      ask: (at) => at.outdatedSources(ref),
      http: pathOf(ref, "/outdated-sources"),
    },
    {
      name: `ancestors of ${ref}`,
      ask: (at) => at.lineage(ref),
      http: pathOf(ref, "/lineage"),
      cli: ["lineage", "--", ref],
    },
    {
      name: `descendants of ${ref}, two steps`,
      ask: (at) => at.lineage(ref, { direction: "descendants", depth: 2 }),
      http: pathOf(ref, "/lineage", "direction=descendants&depth=2"),
      cli: ["lineage", "--down", "--depth", "2", "--", ref],
    },
    {
      name: `impact of ${ref}`,
      ask: (at) => at.impact(ref),
      http: pathOf(ref, "/impact"),
      cli: ["impact", "--", ref],
    },
    {
      name: `replay of ${ref}`,
      ask: (at) => at.replay(ref),
      http: pathOf(ref, "/replay"),
      cli: ["replay", "--", ref],
    },
  ];
}

function ofRecord(id: string): Question[] {
  return [
    {
      name: `history of ${id}`,
      ask: (at) => at.history(id),
      http: pathOf(id, "/history"),
      cli: ["history", "--", id],
    },
    {
      name: `events of ${id}`,
      ask: async (at) => ({ asOf: at.asOf, events: await collected(at.events({ recordId: id })) }),
      http: `/v1/events?recordId=${encodeURIComponent(id)}`,
    },
  ];
}

const refs = [
  ...oddIds,
  "ds",
  "ds@1",
  "m",
  "cal",
  "nowhere",
  "secret",
  "..@1",
  "label:..",
  "retrain",
  "ds@99",
  "model/bragg nn",
  "twin/same",
  "",
  "@0",
  "a@0",
];
const recordIds = [...oddIds, "m", "nowhere", "secret", "no such record", "model/bragg nn 2"];

const queries = [
  "",
  "kind:odd",
  'tag.loss<0.2 "bragg nn"',
  "status:stale",
  "kind:twin or kind:note",
  "kind:",
  "version>abc",
  "from:ds",
  "name:called*",
];

const ofQueries: Question[] = queries.flatMap((where) => [
  {
    name: `list ${where}`,
    ask: (at: ViewReader) => at.list(where, { limit: 5 }),
    http: `/v1/records?limit=5&where=${encodeURIComponent(where)}`,
    cli: ["list", "--limit", "5", "--", where],
  },
  {
    name: `explain ${where}`,
    ask: (at: ViewReader) => at.explain(where),
    http: `/v1/records?explain=true&where=${encodeURIComponent(where)}`,
    cli: ["list", "--explain", "--", where],
  },
  {
    name: `all records for ${where}`,
    ask: async (at: ViewReader) => {
      const records = await collected(at.records(where));
      return { asOf: at.asOf, records };
    },
    http: `/v1/records?limit=10000&where=${encodeURIComponent(where)}`,
  },
]);

const ofObjects: Question[] = [
  {
    name: "list by kind",
    ask: (at) => at.list({ kind: "odd/kind" }),
    http: "/v1/records?kind=odd%2Fkind",
    cli: ["list", "--kind", "odd/kind"],
  },
  {
    name: "list by tag",
    ask: (at) => at.list({ tags: { loss: 0.1, text: "0.10" } }),
    http: "/v1/records?tag.loss=0.1&tag.text=0.10",
    cli: ["list", "--tag", "loss=0.1", "--tag", "text=0.10"],
  },
  {
    name: "list by a text in a tag",
    ask: (at) => at.list({ tags: { text: { text: "0.10" } } }),
    http: "/v1/records?tag.text=%220.10%22",
  },
  {
    name: "list by a tag with spaces",
    ask: (at) => at.list({ tags: { "two words": "a b" } }),
    http: "/v1/records?tag.two%20words=a%20b",
  },
  {
    name: "list by status and words",
    ask: (at) => at.list({ status: "valid", words: ["called", "*1*"] }),
    http: "/v1/records?status=valid&word=called&word=*1*",
    cli: ["list", "--status", "valid", "--", "called *1*"],
  },
];

const ofStore: Question[] = [
  { name: "summary", ask: (at) => at.summary(), http: "/v1/summary", cli: ["at"] },
  {
    name: "summary with what is stale",
    ask: (at) => at.summary({ stale: true }),
    http: "/v1/summary?stale=true",
    cli: ["at", "--stale"],
  },
  { name: "stale", ask: (at) => at.stale(), http: "/v1/stale", cli: ["stale"] },
  { name: "timeline", ask: (at) => at.timeline(), http: "/v1/timeline", cli: ["timeline"] },
  {
    name: "timeline by kind, type and actor",
    ask: (at) =>
      at.timeline({
        bucket: "hour",
        by: ["kind", "type", "actor"],
        from: "2026-03-01",
        to: "2026-03-03",
      }),
    http: "/v1/timeline?bucket=hour&by=kind&by=type&by=actor&from=2026-03-01&to=2026-03-03",
    cli: [
      "timeline",
      "--bucket",
      "hour",
      "--by",
      "kind",
      "--by",
      "type",
      "--by",
      "actor",
      "--from",
      "2026-03-01",
      "--to",
      "2026-03-03",
    ],
  },
  {
    name: "timeline of nobody",
    ask: (at) => at.timeline({ actor: null }),
    http: "/v1/timeline?actor=",
  },
  {
    name: "every record",
    ask: async (at) => ({ asOf: at.asOf, records: await collected(at.allRecords()) }),
    http: "/v1/state",
  },
  {
    name: "resolve",
    ask: async (at) => ({ ref: await at.resolve("calibration/detector@1") }),
    http: "/v1/resolve?ref=calibration%2Fdetector%401",
  },
  {
    name: "changes",
    ask: (at) => at.changesSince(0),
    http: "/v1/diff?from=0",
    instant: "to",
    cli: ["diff", "--from", "0"],
  },
  {
    name: "events, newest first",
    ask: async (at) => ({ asOf: at.asOf, events: await collected(at.events({ reverse: true })) }),
    http: "/v1/events?reverse=true",
    cli: ["log", "--reverse"],
  },
  {
    name: "some events",
    ask: async (at) => ({
      asOf: at.asOf,
      events: await collected(at.events({ from: 3, until: 6 })),
    }),
    http: "/v1/events?from=3&until=6",
  },
];

const ofTwo: Question[] = [
  {
    name: "diff of versions",
    ask: (at) => at.diff("ds@1", "ds@2"),
    http: "/v1/records/ds/diff?from=1&to=2",
    cli: ["diff", "ds@1", "ds@2"],
  },
  {
    name: "diff of records",
    ask: (at) => at.diff("..", "100%"),
    http: "/v1/records/-/diff?ref=..&with=100%25",
    cli: ["diff", "--", "..", "100%"],
  },
  {
    name: "diff with what was erased",
    ask: (at) => at.diff("ds", "secret"),
    http: "/v1/records/ds/diff?with=secret",
    cli: ["diff", "ds", "secret"],
  },
  {
    name: "paths",
    ask: (at) => at.paths("100%", "ds", { limit: 3 }),
    http: "/v1/records/100%25/paths?to=ds&limit=3",
    cli: ["lineage", "--to", "ds", "--limit", "3", "--", "100%"],
  },
  {
    name: "common ancestors",
    ask: (at) => at.commonAncestors("..", "-"),
    http: "/v1/records/-/common-ancestors?ref=..&with=-",
    cli: ["lineage", "..", "--with=-"],
  },
  {
    name: "names of ancestors",
    ask: (at) => at.lineageRefs("812"),
    http: "/v1/records/812/lineage?refs=true",
    cli: ["lineage", "--refs", "812"],
  },
  {
    name: "lineage by role",
    ask: (at) => at.lineage("m@1", { roles: ["training-data", "x"], kinds: ["dataset"] }),
    http: "/v1/records/m%401/lineage?role=training-data&role=x&kind=dataset",
    cli: ["lineage", "--role", "training-data", "--role", "x", "--kind", "dataset", "m@1"],
  },
  {
    name: "lineage by relation",
    ask: (at) => at.lineage("m@1", { relations: ["used"] }),
    http: "/v1/records/m%401/lineage?relation=used",
    cli: ["lineage", "--relation", "used", "m@1"],
  },
  {
    name: "lineage since",
    ask: (at) => at.lineageDiff("ds", 2, { direction: "descendants" }),
    http: "/v1/records/ds/lineage?since=2&direction=descendants",
    cli: ["lineage", "--down", "--since", "2", "ds"],
  },
  {
    name: "impact of a version and later ones",
    ask: (at) => at.impact("ds@2", { since: true }),
    http: "/v1/records/ds%402/impact?since=true",
    cli: ["impact", "--since", "ds@2"],
  },
  {
    name: "impact without a cascade",
    ask: (at) => at.impact("ds", { cascade: false }),
    http: "/v1/records/ds/impact?cascade=false",
  },
  {
    name: "impact as it would have been",
    ask: (at) => at.impact("ds", { at: 3 }),
    http: "/v1/records/ds/impact?at=3",
    cli: ["impact", "--at", "3", "ds"],
  },
  {
    name: "a part of a history",
    ask: (at) => at.history("ds", { after: 1, limit: 1 }),
    http: "/v1/records/ds/history?after=1&limit=1",
    cli: ["history", "--after", "1", "--limit", "1", "ds"],
  },
];

export const questions: readonly Question[] = [
  ...refs.flatMap(ofRef),
  ...recordIds.flatMap(ofRecord),
  ...ofQueries,
  ...ofObjects,
  ...ofStore,
  ...ofTwo,
];
