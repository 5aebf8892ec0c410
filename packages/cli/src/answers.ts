/** How commands print records, events and the outcome of a write. */
import {
  formatRef,
  isStoreError,
  StoreError,
  type AppendedEvent,
  type JsonValue,
  type NewEvent,
  type RecordedEvent,
  type RecordView,
  type Reader,
} from "@sennit/core";

import type { Context } from "./context.ts";
import { commandLine, plural, printable, shortTime, type Column, type Output } from "./output.ts";

/**
 * Stores one event and prints what became of it.
 *
 * @param object what the verb is about; default: the version made
 */
export async function writeOne(
  context: Context,
  event: NewEvent,
  verb: string,
  object: (appended: AppendedEvent) => string = formatRef,
): Promise<void> {
  const store = await context.store();
  const { events } = await store
    .append([{ ...event, actor: event.actor ?? context.actor }])
    .catch((error: unknown) => {
      throw inCommands(error, event);
    });
  const [appended] = events;
  if (appended === undefined) return;
  const record = await store.record(appended.recordId).catch((error: unknown) => {
    // Who may write and not read has written all the same.
    if (isStoreError(error) && error.code === "forbidden") return null;
    throw error;
  });
  const { out } = context;
  if (out.isJson) {
    out.json({ ...appended, record });
    return;
  }
  printAppended(out, appended, record, `${verb} ${out.style("bold", printable(object(appended)))}`);
}

/** The store's hint speaks of events; whoever types commands needs one to type. */
function inCommands(error: unknown, { type, recordId }: NewEvent): unknown {
  if (!isStoreError(error) || error.code !== "record-not-found") return error;
  const { message, details } = error;
  const hint =
    type === "record.updated"
      ? `Create it first with: ${commandLine(["sennit", "create", "KIND", "NAME", "--id", recordId])}`
      : undefined;
  return new StoreError("record-not-found", message, { hint, details, cause: error });
}

function printAppended(
  out: Output,
  appended: AppendedEvent,
  record: RecordView | null,
  deed: string,
): void {
  const { position, placeholders, status } = appended;
  const what =
    record === null ? "" : `  ${printable(record.kind)} ${printable(JSON.stringify(record.name))}`;
  const note = status === "duplicate" ? " (stored before)" : "";
  out.line(`${deed}${what}  at position ${position}${note}`);
  for (const placeholder of placeholders) {
    out.line(`  made a placeholder for ${printable(placeholder.recordId)}`);
  }
  printConsequences(out, appended);
}

function printConsequences(out: Output, { recordId, version, consequences }: AppendedEvent): void {
  const [first] = consequences;
  if (first === undefined || first.type !== "record.invalidated") return;
  const { cause, via, versions } = first.data;
  if (first.recordId === recordId && versions.from === version && via !== undefined) {
    const source = printable(`${via.recordId}@${via.version}`);
    out.line(`  withdrawn at once, because it rests on ${source}: ${printable(cause)}`);
    return;
  }
  const records = new Set(consequences.map((event) => event.recordId)).size;
  out.line(`  and ${plural(records, "record")} that ${records === 1 ? "rests" : "rest"} on it:`);
  const shown = consequences.slice(0, 20);
  for (const event of shown) out.line(`    ${consequenceLine(event)}`);
  const more = consequences.length - shown.length;
  if (more > 0)
    out.line(
      `    and ${more} more; see them with: sennit log --from ${consequences[shown.length]?.position ?? ""}`,
    );
}

function consequenceLine(event: RecordedEvent): string {
  if (event.type !== "record.invalidated") return printable(event.recordId);
  const { versions, via } = event.data;
  const through = via === undefined ? "" : ` through ${via.recordId}@${via.version}`;
  return printable(`${event.recordId}${versionRange(versions)}${through}`);
}

/** `@2` or `@1-3`. */
export function versionRange({ from, to }: { readonly from: number; readonly to: number }): string {
  return from === to ? `@${from}` : `@${from}-${to}`;
}

/** The columns of a list of records. */
export const recordColumns: readonly Column[] = [
  { title: "ID" },
  { title: "VERSION", align: "right" },
  { title: "KIND" },
  { title: "NAME", flexible: true },
  { title: "STATUS" },
  { title: "RECORDED" },
  { title: "TAGS", flexible: true },
];

/** One row of a list of records. */
export function recordRow(out: Output, record: RecordView): string[] {
  return [
    printable(record.id),
    String(record.version),
    printable(record.kind),
    nameText(out, record),
    out.status(record.status, record.stale),
    out.ago(record.recordedAt),
    tagText(record),
  ];
}

/** The name, or that it is gone. */
export function nameText(out: Output, { name, erased }: RecordView): string {
  return erased === undefined ? printable(name) : out.style("dim", "(erased)");
}

/** Kind and name of what an answer lists, or that the name is gone. */
export function kindAndName({
  kind,
  name,
  isErased,
}: {
  readonly kind: string;
  readonly name: string;
  readonly isErased?: boolean;
}): string {
  return printable(`${kind} ${isErased === true ? "(erased)" : JSON.stringify(name)}`);
}

/** `loss=0.12 stage="prod"`. */
export function tagText({ tags }: Pick<RecordView, "tags">): string {
  return Object.entries(tags)
    .map(([key, value]) => printable(`${key}=${String(value)}`))
    .join(" ");
}

/** One record, all of it, as a person reads it. */
export function printRecord(out: Output, record: RecordView): void {
  const version = out.style("dim", `version ${record.version}`);
  out.line(
    `${out.style("bold", nameText(out, record))}  ${printable(record.id)}  ${version}  ${out.status(record.status, record.stale)}`,
  );
  out.fields([
    ["kind", printable(record.kind)],
    ["recorded", `${out.time(record.recordedAt)} at position ${record.position}`],
    ["occurred", record.occurredAt === null ? undefined : out.time(record.occurredAt)],
    ["created", record.version === 1 ? undefined : out.time(record.createdAt)],
    ["actor", record.actor === null ? undefined : printable(record.actor)],
    ["erased", erasureText(out, record.erased)],
    ["tags", tagText(record) || undefined],
    ...record.uris.map((uri) => ["uri", printable(uri)] as const),
    ...record.artifacts.map((artifact) => ["artifact", printable(artifactText(artifact))] as const),
    ...record.derivedFrom.map((edge) => ["from", printable(derivationText(edge))] as const),
    ...record.onInvalidate.map((actionId) => ["on invalidate", printable(actionId)] as const),
  ]);
  printAttributes(out, record);
  if (record.invalidation !== null) printInvalidation(out, record.invalidation);
}

function erasureText(out: Output, erased: RecordView["erased"]): string | undefined {
  if (erased === undefined) return undefined;
  const { recordedAt, position, cause } = erased;
  return `${out.time(recordedAt)} at position ${position}: ${printable(cause)}`;
}

function artifactText({ name, sizeBytes, sha256, uri }: RecordView["artifacts"][number]): string {
  const size = sizeBytes === undefined ? "" : `  ${plural(sizeBytes, "byte")}`;
  const digest = sha256 === undefined ? "" : `  sha256 ${sha256.slice(0, 12)}`;
  return `${name}${size}${digest}${uri === undefined ? "" : `  ${uri}`}`;
}

function derivationText({
  recordId,
  version,
  role,
  relation,
}: RecordView["derivedFrom"][number]): string {
  const words = [role, relation === "wasDerivedFrom" ? null : relation].filter(
    (word) => word !== null,
  );
  return `${recordId}@${version}${words.length === 0 ? "" : ` (${words.join(", ")})`}`;
}

function printAttributes(out: Output, { attributes }: RecordView): void {
  if (JSON.stringify(attributes) === "{}") return;
  out.line(out.style("dim", "attributes"));
  for (const line of jsonLines(attributes)) out.line(`  ${printable(line)}`);
}

/** Characters up to which a JSON value stands in one line. */
const jsonWidthMax = 76;

/** JSON in as few lines as read well: what is short in one line, and so every list of plain values. */
function jsonLines(value: JsonValue, indent = ""): string[] {
  const compact = JSON.stringify(value);
  const isPlainList = Array.isArray(value) && value.every(isPlain);
  if (isPlain(value) || isPlainList || indent.length + compact.length <= jsonWidthMax) {
    return [indent + compact];
  }
  const isList = Array.isArray(value);
  const inner = `${indent}  `;
  const items = Object.entries(value as Readonly<Record<string, JsonValue>>);
  const lines = items.flatMap(([key, item], index) => {
    const [first = "", ...rest] = jsonLines(item, inner);
    const name = isList ? "" : `${JSON.stringify(key)}: `;
    const whole = [inner + name + first.slice(inner.length), ...rest];
    return index === items.length - 1 ? whole : [...whole.slice(0, -1), `${whole.at(-1)},`];
  });
  return [indent + (isList ? "[" : "{"), ...lines, indent + (isList ? "]" : "}")];
}

function isPlain(value: JsonValue): boolean {
  return typeof value !== "object" || value === null;
}

function printInvalidation(
  out: Output,
  invalidation: NonNullable<RecordView["invalidation"]>,
): void {
  const { cause, position, recordedAt, root, via } = invalidation;
  out.line(`${out.style("red", "withdrawn")}  ${printable(cause)}`);
  out.fields([
    ["  when", `${out.time(recordedAt)} at position ${position}`],
    ["  through", via === null ? undefined : printable(`${via.recordId}@${via.version}`)],
    ["  root cause", via === null ? undefined : printable(`the invalidation of ${root.recordId}`)],
  ]);
}

/** One event in one line. */
export function eventRow(out: Output, event: RecordedEvent): string[] {
  const styles = {
    "record.created": "green",
    "record.updated": "cyan",
    "record.invalidated": "red",
  } as const;
  return [
    String(event.position),
    shortTime(event.recordedAt),
    out.style(styles[event.type], event.type.slice("record.".length)),
    printable(`${event.recordId}@${event.version}`),
    printable(event.actor ?? ""),
    printable(eventText(event)),
  ];
}

export const eventColumns: readonly Column[] = [
  { title: "POSITION", align: "right" },
  { title: "RECORDED" },
  { title: "EVENT" },
  { title: "RECORD" },
  { title: "ACTOR" },
  { title: "WHAT", flexible: true },
];

function eventText(event: RecordedEvent): string {
  if (event.erasedBy !== undefined) return `(erased, see position ${event.erasedBy})`;
  switch (event.type) {
    case "record.created":
      return `${event.data.kind} ${JSON.stringify(event.data.name)}`;
    case "record.updated": {
      const { patch, reason, restores } = event.data;
      if (restores !== undefined)
        return `restores version ${restores}${reason === undefined ? "" : `: ${reason}`}`;
      const members = patch === undefined ? "the whole document" : Object.keys(patch).join(", ");
      return reason === undefined ? members : `${members}: ${reason}`;
    }
    case "record.invalidated": {
      const { versions, via, cause } = event.data;
      const through = via === undefined ? "" : ` through ${via.recordId}@${via.version}`;
      return `${versionRange(versions)}${through}: ${cause}`;
    }
    default:
      return "";
  }
}

/** Says which instant an answer speaks for, when it is not the present. */
export function noteAsOf(context: Context, reader: Pick<Reader, "asOf">): void {
  if (context.asOf !== undefined && !context.out.isJson)
    context.out.note(`as of position ${reader.asOf}`);
}
