/** An export as one file of MessagePack values after one another: the stored bytes as they are. */
import { Entry } from "../codec/entry.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { readMessagePackValues } from "../codec/msgpack-stream.ts";
import { isStoreError } from "../errors.ts";
import {
  checkStart,
  exportFormat,
  exportVersion,
  importError,
  itemBytesMax,
  truncated,
  type ExportForm,
  type ExportItem,
} from "./items.ts";

/** First members of the values after the first. */
const codes = { entry: 1, key: 2, checkpoint: 3, end: 4 } as const;
/** Members of a value, by its first one. */
const memberCounts = new Map<unknown, number>([
  [codes.entry, 4],
  [codes.key, 4],
  [codes.checkpoint, 2],
  [codes.end, 5],
]);

export const messagePackForm: ExportForm = {
  encode: (item) => encodeMessagePack(valueOf(item)),
  async *decode(bytes) {
    let count = 0;
    const values = readMessagePackValues(bytes, {
      bytesMax: itemBytesMax,
      onIncomplete: () => truncated(count),
      onInvalid: (cause) => importError("import-invalid", count + 1, "is no MessagePack", cause),
    });
    for await (const value of values) {
      count += 1;
      if (!Array.isArray(value)) throw importError("import-invalid", count, "is no array");
      yield count === 1 ? startOf(value) : itemOf(value, count);
    }
  },
};

function valueOf(item: ExportItem): unknown[] {
  switch (item.type) {
    case "start":
      return [exportFormat, exportVersion, item.storeId];
    case "entry": {
      const { header, headerBytes, payloadBytes } = item.entry;
      return [codes.entry, header.position, headerBytes, payloadBytes];
    }
    case "key":
      return [codes.key, item.key, item.batch.digest, item.batch.positions];
    case "checkpoint":
      return [codes.checkpoint, item.note];
    default:
      return [codes.end, item.head, item.root, item.keys.count, item.keys.sha256];
  }
}

function startOf([format, version, storeId]: readonly unknown[]): ExportItem {
  checkStart(format, version);
  if (typeof storeId === "string") return { type: "start", storeId };
  throw importError("import-invalid", 1, "names no store");
}

/** Takes a value apart. Binary members share memory with what was read, and are copied. */
function itemOf(members: readonly unknown[], count: number): ExportItem {
  const [code, a, b, c, d] = members;
  if (members.length !== (memberCounts.get(code) ?? members.length)) {
    throw importError("import-invalid", count, "has members too many or too few");
  }
  if (code === codes.entry && typeof a === "number" && isBytes(b) && isBytes(c)) {
    return { type: "entry", entry: entryOf(a, b, c, count) };
  }
  if (
    code === codes.key &&
    typeof a === "string" &&
    Array.isArray(c) &&
    (b === null || isBytes(b))
  ) {
    return { type: "key", key: a, batch: { digest: b, positions: c as number[] } };
  }
  if (code === codes.checkpoint && typeof a === "string") return { type: "checkpoint", note: a };
  const isEnd = code === codes.end && typeof a === "number" && typeof c === "number";
  if (isEnd && isBytes(b) && isBytes(d)) {
    return { type: "end", head: a, root: b, keys: { count: c, sha256: d } };
  }
  throw importError("import-invalid", count, "is neither an event nor anything else of an export");
}

/** @throws `import-invalid`, `format-too-new` */
function entryOf(position: number, header: Uint8Array, payload: Uint8Array, count: number): Entry {
  try {
    return Entry.fromParts(position, Buffer.from(header), Buffer.from(payload));
  } catch (error) {
    if (isStoreError(error) && error.code === "format-too-new") throw error;
    throw importError("import-invalid", count, "is no event", error);
  }
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
