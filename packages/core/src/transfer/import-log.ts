/** Makes a store from an export, when every line of it is what it says and nothing is missing. */
import { throwIfAborted } from "../abort.ts";
import type { Entry } from "../codec/entry.ts";
import { isStoreError, StoreError } from "../errors.ts";
import { erasureKind, readErasureNote } from "../event/erasure.ts";
import { validateEvent } from "../event/validate.ts";
import type { Position } from "../ids.ts";
import { LogCopy, type CopiedLog } from "../log/log-copy.ts";
import { logName } from "../store-directory.ts";
import type { Storage } from "../storage/storage.ts";
import { importError, KeysTally, truncated, type ExportEnd, type ExportItem } from "./items.ts";
import { messagePackForm } from "./messagepack-form.ts";
import { ndjsonForm } from "./ndjson-form.ts";
import { makeStore } from "./new-store.ts";

export interface ImportOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the position reached. */
  readonly onProgress?: ((position: Position) => void) | undefined;
}

/** What an import made. */
export interface ImportedStore {
  readonly storeId: string;
  readonly head: Position;
  /** The Merkle root, 64 hexadecimal digits: the same as that of the store exported. */
  readonly root: string;
  readonly idempotencyKeys: number;
  /** The verifier key of the new store, which signs with a key of its own. */
  readonly verifierKey: string;
}

/** Entries handed to the copy at once. */
const batchEntries = 500;
const openBrace = 0x7b;

/**
 * Makes a store in a new or empty directory from an export of either form. The store keeps its id; its key is a new one.
 * After an error there is no store.
 *
 * @param source the bytes of the file, in any pieces
 * @throws `directory-not-empty`; `import-truncated`, `import-out-of-order`, `import-tampered`, `import-invalid`,
 * `format-too-new`; codes of writing
 */
export async function importStore(
  source: AsyncIterable<Uint8Array>,
  target: string,
  options: ImportOptions = {},
): Promise<ImportedStore> {
  const items = await detect(source);
  const start = await items.next();
  if (start.done === true) throw truncated(0);
  if (start.value.type !== "start") {
    throw new StoreError("import-invalid", "The file is no export of a Sennit store.");
  }
  const { storeId } = start.value;
  let keys = 0;
  try {
    const made = await makeStore(target, { storeId }, async (storage) => {
      const filling = new Filling(storage, storeId, options);
      const copied = await filling.run(items);
      keys = filling.keys;
      return copied;
    });
    const { head, root, verifierKey } = made;
    return { storeId, head, root: root.toString("hex"), idempotencyKeys: keys, verifierKey };
  } finally {
    await items.return?.();
  }
}

/** True when a file begins as an export does, and not as what another tool wrote. */
export function looksLikeExport(first: Uint8Array): boolean {
  const text = Buffer.from(first.subarray(0, 64)).toString("latin1");
  return text.startsWith('{"format":"sennit-export"') || /^[\x90-\x9f]\xadsennit-export/.test(text);
}

/** Reads the first bytes to know the form: an object begins with a brace, an array never does. */
async function detect(source: AsyncIterable<Uint8Array>): Promise<AsyncIterator<ExportItem>> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  const bytes = first.done === true ? new Uint8Array() : first.value;
  async function* all(): AsyncGenerator<Uint8Array> {
    yield bytes;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield next.value;
    }
  }
  const form = bytes[0] === openBrace ? ndjsonForm : messagePackForm;
  return form.decode(all())[Symbol.asyncIterator]();
}

/** True for what the store alone makes: its kind is refused from clients, and what else it holds is not. */
function isErasureRecord({ kind, attributes }: Readonly<Record<string, unknown>>): boolean {
  return kind === erasureKind && readErasureNote(attributes) !== undefined;
}

/** The data of an event, as a client could have sent it, where the store has added or made something. */
function asSent({ root, via: _via, ...data }: Readonly<Record<string, unknown>>): unknown {
  if (isErasureRecord(data)) return { ...data, kind: "note" };
  // What fell through a withdrawal whose cause was erased has had none itself.
  return root !== undefined && data["cause"] === "" ? { ...data, cause: "erased" } : data;
}

/** Takes the items of one file in their order. */
class Filling {
  readonly #copy: LogCopy;
  readonly #storeId: string;
  readonly #options: ImportOptions;
  readonly #keys = new KeysTally();
  #entries: Entry[] = [];
  #head: Position = 0;
  #line = 1;
  #end: ExportEnd | undefined;
  #note: string | undefined;

  constructor(storage: Storage, storeId: string, options: ImportOptions) {
    this.#storeId = storeId;
    this.#copy = LogCopy.open(storage);
    this.#options = options;
  }

  /** Idempotency keys so far. */
  get keys(): number {
    return this.#keys.summary().count;
  }

  async run(items: AsyncIterator<ExportItem>): Promise<CopiedLog> {
    for (let next = await items.next(); next.done !== true; next = await items.next()) {
      throwIfAborted(this.#options.signal);
      this.#line += 1;
      await this.#take(next.value);
    }
    if (this.#end === undefined) throw truncated(this.#line);
    const copied = await this.#guarded(() => this.#copy.finish());
    this.#compare(copied, this.#end);
    return copied;
  }

  async #take(item: ExportItem): Promise<void> {
    if (this.#end !== undefined || item.type === "start") throw this.#misplaced();
    if (item.type === "entry") return this.#takeEntry(item.entry);
    await this.#flush();
    if (item.type === "end") {
      this.#end = item;
    } else if (item.type === "checkpoint") {
      if (this.#note !== undefined) throw this.#misplaced();
      this.#note = item.note;
    } else {
      if (this.#note !== undefined) throw this.#misplaced();
      this.#keys.add(item.key, item.batch);
      await this.#guarded(() => this.#copy.addKeys([[item.key, item.batch]]));
    }
  }

  async #takeEntry(entry: Entry): Promise<void> {
    const { position } = entry.header;
    if (this.keys > 0 || this.#note !== undefined || position !== this.#head + 1) {
      throw new StoreError(
        "import-out-of-order",
        `Line ${this.#line} holds position ${position} where ${this.#head + 1} belongs.`,
        { details: { line: this.#line, position, expected: this.#head + 1 } },
      );
    }
    this.#check(entry);
    this.#head = position;
    this.#entries.push(entry);
    if (this.#entries.length >= batchEntries) await this.#flush();
  }

  /** What no client could have sent stands in no log that Sennit wrote. */
  #check(entry: Entry): void {
    try {
      if (entry.erasure !== undefined) return;
      const { type, recordId, data } = entry.event();
      const sent = asSent(data as Readonly<Record<string, unknown>>);
      validateEvent({ ...entry.payload(), type, recordId, id: entry.header.id, data: sent });
    } catch (error) {
      throw importError("import-invalid", this.#line, "is no event that Sennit stores", error);
    }
  }

  async #flush(): Promise<void> {
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    await this.#guarded(() => this.#copy.add(entries));
    this.#options.onProgress?.(this.#head);
  }

  /** What does not hold together was changed after it was written. */
  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!isStoreError(error) || error.category !== "corrupt") throw error;
      throw new StoreError("import-tampered", `The file was changed: ${error.message}`, {
        cause: error,
        details: { ...error.details, reason: error.code },
      });
    }
  }

  #compare({ head, root }: CopiedLog, end: ExportEnd): void {
    const { count, sha256 } = this.#keys.summary();
    const isSame = Buffer.compare(sha256, end.keys.sha256) === 0 && count === end.keys.count;
    if (end.head !== head || !isSame || !root.equals(end.root)) {
      throw new StoreError(
        "import-tampered",
        "The file holds another log than its last line says: another head, root or idempotency keys.",
        { details: { said: end.head, found: head } },
      );
    }
    if (this.#note === undefined) return;
    const [origin, size, signedRoot] = this.#note.split("\n");
    const isOfThis = origin === logName(this.#storeId) && size === String(head);
    if (isOfThis && signedRoot === root.toString("base64")) return;
    throw new StoreError("import-tampered", "The checkpoint in the file is of another log.");
  }

  #misplaced(): StoreError {
    return importError("import-invalid", this.#line, "stands where it does not belong");
  }
}
