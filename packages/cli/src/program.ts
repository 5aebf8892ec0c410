/** Every command by its name, with what the overview says of it. Commands are loaded when they are called. */
import type { Command } from "./command.ts";

interface Entry {
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** The commands in the order the overview shows them. */
export const program: Readonly<Record<string, Entry>> = {
  init: { group: "Store", summary: "make a store", load: () => import("./commands/init.ts") },
  ingest: {
    group: "Write",
    summary: "store events from NDJSON",
    load: () => import("./commands/ingest.ts"),
  },
  import: {
    group: "Write",
    summary: "store what another tool recorded, or an export",
    load: () => import("./commands/import.ts"),
  },
  create: {
    group: "Write",
    summary: "create a record",
    load: () => import("./commands/create.ts"),
  },
  update: {
    group: "Write",
    summary: "make a record's next version",
    load: () => import("./commands/update.ts"),
  },
  invalidate: {
    group: "Write",
    summary: "withdraw versions and all that rests on them",
    load: () => import("./commands/invalidate.ts"),
  },
  restore: {
    group: "Write",
    summary: "bring back the content of an old version",
    load: () => import("./commands/restore.ts"),
  },
  label: { group: "Write", summary: "name a position", load: () => import("./commands/label.ts") },
  show: { group: "Read", summary: "one record", load: () => import("./commands/show.ts") },
  list: {
    group: "Read",
    summary: "records that fit a query",
    load: () => import("./commands/list.ts"),
  },
  log: { group: "Read", summary: "the events, in order", load: () => import("./commands/log.ts") },
  history: {
    group: "Read",
    summary: "the versions of a record",
    load: () => import("./commands/history.ts"),
  },
  blame: {
    group: "Read",
    summary: "which event set each field of a record",
    load: () => import("./commands/blame.ts"),
  },
  at: {
    group: "Read",
    summary: "the store at an instant in a few figures",
    load: () => import("./commands/at.ts"),
  },
  checkout: {
    group: "Read",
    summary: "write the records of an instant as files",
    load: () => import("./commands/checkout.ts"),
  },
  diff: {
    group: "Read",
    summary: "what differs between two versions, or two instants",
    load: () => import("./commands/diff.ts"),
  },
  timeline: {
    group: "Read",
    summary: "how many events there were, and when",
    load: () => import("./commands/timeline.ts"),
  },
  lineage: {
    group: "Provenance",
    summary: "what a record rests on, or what rests on it",
    load: () => import("./commands/lineage.ts"),
  },
  impact: {
    group: "Provenance",
    summary: "what an invalidation would withdraw",
    load: () => import("./commands/impact.ts"),
  },
  stale: {
    group: "Provenance",
    summary: "records whose sources have moved on",
    load: () => import("./commands/stale.ts"),
  },
  replay: {
    group: "Provenance",
    summary: "a decision and its inputs as they stood",
    load: () => import("./commands/replay.ts"),
  },
  receipt: {
    group: "Provenance",
    summary: "prove to others what a decision rested on",
    load: () => import("./commands/receipt.ts"),
  },
  "verify-receipt": {
    group: "Provenance",
    summary: "check a receipt, without a store",
    load: () => import("./commands/verify-receipt.ts"),
  },
  verify: {
    group: "Store",
    summary: "check every stored byte of the log",
    load: () => import("./commands/verify.ts"),
  },
  checkpoint: {
    group: "Store",
    summary: "sign what the log is, to hold it to that later",
    load: () => import("./commands/checkpoint.ts"),
  },
  erase: {
    group: "Store",
    summary: "destroy content for good, and record that it was done",
    load: () => import("./commands/erase.ts"),
  },
  backup: {
    group: "Store",
    summary: "copy the store into a directory, or bring the copy up to date",
    load: () => import("./commands/backup.ts"),
  },
  "restore-store": {
    group: "Store",
    summary: "make a store from a backup",
    load: () => import("./commands/restore-store.ts"),
  },
  export: {
    group: "Store",
    summary: "write the whole log into one file",
    load: () => import("./commands/export.ts"),
  },
  projections: {
    group: "Store",
    summary: "how far the read models are, and making one anew",
    load: () => import("./commands/projections.ts"),
  },
  keys: {
    group: "Store",
    summary: "make, list and revoke the keys that a server takes",
    load: () => import("./commands/keys.ts"),
  },
  serve: {
    group: "Store",
    summary: "answer for the store over HTTP",
    load: () => import("./commands/serve.ts"),
  },
  demo: {
    group: "Store",
    summary: "play a story, and serve the store it leaves to try things in",
    load: () => import("./commands/demo.ts"),
  },
  completion: {
    group: "Store",
    summary: "print a shell completion script",
    load: () => import("./commands/completion.ts"),
  },
};
