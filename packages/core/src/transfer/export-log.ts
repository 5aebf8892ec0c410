/** Writes a whole log out, as it is at the moment it begins. */
import type { Position } from "../ids.ts";
import { readIdempotencyKeys } from "../log/copy-log.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import type { Storage } from "../storage/storage.ts";
import { KeysTally, type ExportForm, type ExportItem } from "./items.ts";
import { messagePackForm } from "./messagepack-form.ts";
import { ndjsonForm } from "./ndjson-form.ts";

/** The forms of an export. */
export const exportForms = ["ndjson", "msgpack"] as const;
/** `ndjson`: lines of JSON, which people and other tools can read. `msgpack`: the stored bytes in one MessagePack file. */
export type ExportFormName = (typeof exportForms)[number];

export interface ExportOptions {
  /** Default `"ndjson"`. */
  readonly format?: ExportFormName | undefined;
  /** Put a signed checkpoint before the end. Copies of a log with another key sign otherwise. Default true. */
  readonly checkpoint?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the position reached. */
  readonly onProgress?: ((position: Position) => void) | undefined;
}

/** What is exported. */
export interface ExportSource {
  readonly storeId: string;
  readonly log: EmbeddedLog;
  /** The log's own. */
  readonly storage: Storage;
  readonly checkpoint: (size: Position) => Promise<string>;
}

/** What an export holds. */
export interface ExportSummary {
  readonly head: Position;
  /** The Merkle root, 64 hexadecimal digits. */
  readonly root: string;
  readonly idempotencyKeys: number;
}

/** The form of a file, by its name. */
const formsByName: Readonly<Record<ExportFormName, ExportForm>> = {
  ndjson: ndjsonForm,
  msgpack: messagePackForm,
};

/** Bytes collected before they are handed on. */
const chunkBytes = 64 * 1024;

/** The export in pieces, in constant memory. The same log gives the same bytes, but for the checkpoint's signature. */
export async function* exportLog(
  source: ExportSource,
  options: ExportOptions = {},
): AsyncGenerator<Uint8Array, ExportSummary> {
  const form = formsByName[options.format ?? "ndjson"];
  let parts: Uint8Array[] = [];
  let size = 0;
  let summary: ExportSummary = { head: 0, root: "", idempotencyKeys: 0 };
  for await (const item of itemsOf(source, options)) {
    if (item.type === "end") {
      const { head, root, keys } = item;
      summary = { head, root: Buffer.from(root).toString("hex"), idempotencyKeys: keys.count };
    }
    const bytes = form.encode(item);
    parts.push(bytes);
    size += bytes.length;
    if (size < chunkBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
  return summary;
}

async function* itemsOf(
  { storeId, storage, log, checkpoint }: ExportSource,
  options: ExportOptions,
): AsyncGenerator<ExportItem> {
  yield { type: "start", storeId };
  let head = log.head;
  for (let from = 1; from <= head;) {
    for await (const entries of log.readEntries({ from, until: head, signal: options.signal })) {
      for (const entry of entries) {
        // Content erased meanwhile: the end must not come before the record of that.
        if (entry.erasure !== undefined && entry.erasure.erasedBy > head) head = log.head;
        yield { type: "entry", entry };
      }
      from += entries.length;
      options.onProgress?.(from - 1);
    }
  }
  const keys = new KeysTally();
  for await (const chunk of readIdempotencyKeys(storage, options.signal)) {
    for (const [key, batch] of chunk) {
      // Batches appended meanwhile are no part of what is exported.
      if (batch.positions.some((position) => position > head)) continue;
      keys.add(key, batch);
      yield { type: "key", key, batch };
    }
  }
  if (options.checkpoint !== false) yield { type: "checkpoint", note: await checkpoint(head) };
  yield { type: "end", head, root: log.proofs.treeHead(head).root, keys: keys.summary() };
}
