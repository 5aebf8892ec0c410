/** An export as NDJSON: one line for each item, which people and other tools can read. */
import { entryFormat } from "../codec/upcast.ts";
import { isStoreError, StoreError } from "../errors.ts";
import { isPlainObject } from "../event/json.ts";
import type { IdempotentBatch } from "../records/state.ts";
import { entryMembers, entryOfMembers } from "./event-line.ts";
import {
  bytesOfHex,
  checkStart,
  exportFormat,
  exportVersion,
  importError,
  itemBytesMax,
  truncated,
  type ExportForm,
  type ExportItem,
} from "./items.ts";

const newline = 0x0a;

export const ndjsonForm: ExportForm = {
  encode: (item) => Buffer.from(`${JSON.stringify(membersOf(item))}\n`),
  async *decode(bytes) {
    let line = 0;
    for await (const text of linesOf(bytes)) {
      line += 1;
      yield read(parse(text, line), line);
    }
    if (line === 0) throw new StoreError("import-invalid", "The file is empty.");
  },
};

function membersOf(item: ExportItem): Readonly<Record<string, unknown>> {
  switch (item.type) {
    case "start": {
      const { storeId } = item;
      return { format: exportFormat, version: exportVersion, storeId, entryFormat };
    }
    case "entry":
      return entryMembers(item.entry);
    case "key": {
      const { digest, positions } = item.batch;
      return { idempotencyKey: item.key, digest: digest === null ? null : hex(digest), positions };
    }
    case "checkpoint":
      return { checkpoint: item.note };
    default: {
      const { head, root, keys } = item;
      const idempotencyKeys = { count: keys.count, sha256: hex(keys.sha256) };
      return { end: { head, root: hex(root), idempotencyKeys } };
    }
  }
}

function read(members: Readonly<Record<string, unknown>>, line: number): ExportItem {
  try {
    return itemOf(members, line);
  } catch (error) {
    if (isStoreError(error)) throw error;
    throw importError("import-invalid", line, "does not hold what an export holds", error);
  }
}

function itemOf(members: Readonly<Record<string, unknown>>, line: number): ExportItem {
  if (line === 1) return startOf(members);
  if (typeof members["type"] === "string") {
    return { type: "entry", entry: entryOfMembers(members, line) };
  }
  const { idempotencyKey, checkpoint, end } = members;
  if (typeof idempotencyKey === "string") {
    return { type: "key", key: idempotencyKey, batch: batchOf(members, line) };
  }
  if (typeof checkpoint === "string") return { type: "checkpoint", note: checkpoint };
  if (isPlainObject(end)) return endOf(end, line);
  throw importError("import-invalid", line, "is neither an event nor anything else of an export");
}

function startOf(members: Readonly<Record<string, unknown>>): ExportItem {
  const { format, version, storeId, entryFormat: lineFormat } = members;
  checkStart(format, version);
  if (typeof lineFormat !== "number" || lineFormat > entryFormat) {
    throw new StoreError(
      "format-too-new",
      `The export has entries of format ${String(lineFormat)}; this Sennit reads up to ${entryFormat}.`,
      { details: { format: lineFormat } },
    );
  }
  if (typeof storeId !== "string") throw importError("import-invalid", 1, "names no store");
  return { type: "start", storeId };
}

function batchOf(members: Readonly<Record<string, unknown>>, line: number): IdempotentBatch {
  const { digest, positions } = members;
  if (Array.isArray(positions) && (digest === null || typeof digest === "string")) {
    const bytes = digest === null ? null : bytesOfHex(digest);
    return { digest: bytes, positions: positions as number[] };
  }
  throw importError("import-invalid", line, "is no idempotency key");
}

function endOf(end: Readonly<Record<string, unknown>>, line: number): ExportItem {
  const { head, root, idempotencyKeys } = end;
  const { count, sha256 } = isPlainObject(idempotencyKeys) ? idempotencyKeys : {};
  const isEnd = typeof head === "number" && typeof root === "string";
  if (isEnd && typeof count === "number" && typeof sha256 === "string") {
    const keys = { count, sha256: bytesOfHex(sha256) };
    return { type: "end", head, root: bytesOfHex(root), keys };
  }
  throw importError("import-invalid", line, "is no end of an export");
}

function parse(text: string, line: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isPlainObject(value)) return value;
  } catch {
    // Said below.
  }
  throw importError("import-invalid", line, "is no JSON object");
}

/** The lines of a file, each ended by a newline. @throws `import-truncated` for a last one that is not */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let line = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      line += 1;
      yield Buffer.concat([...parts, chunk.subarray(start, at)]).toString("utf8");
      parts = [];
      size = 0;
      start = at + 1;
    }
    parts.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > itemBytesMax) throw importError("import-invalid", line + 1, "is too long");
  }
  if (size > 0) throw truncated(line);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
