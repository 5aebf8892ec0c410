/** Stores events from NDJSON: line by line, in batches, with a word on what became of every line. */
import { isStoreError, StoreError } from "../errors.ts";
import type { NewEvent } from "../event/event.ts";
import { readJson, type JsonReading } from "../event/json-text.ts";
import { validateEvent } from "../event/validate.ts";
import type { Position } from "../ids.ts";
import { limits } from "../limits.ts";
import type { EventLog } from "../log/event-log.ts";
import { refusedLine, storedLine, type LineError, type LineResult } from "./line-result.ts";
import { lineBytesMax, LineCutter, type Line } from "./lines.ts";
import { settlesWithin } from "./settles-within.ts";

export interface IngestSummary {
  /** Events given that were stored; what the store added because of them is not counted. */
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly head: Position;
  /** The first 1000, in the order of the lines. */
  readonly errors: readonly LineError[];
}

export interface IngestOptions {
  /** All or nothing, in one batch. Default false. */
  readonly atomic?: boolean | undefined;
  /** Of an atomic batch; see `AppendOptions`. */
  readonly idempotencyKey?: string | undefined;
  /** Events to a batch, 1-10,000. Default 1000. */
  readonly batchEvents?: number | undefined;
  /**
   * Milliseconds after which lines no longer wait for a batch to become full, when nothing more comes; when more comes bit by
   * bit, they wait 200 at most. Default: until it is full or the input ends.
   */
  readonly lingerMs?: number | undefined;
  /**
   * Makes of checked events those that are stored, one for each. The batches before are stored by then. A `StoreError` it
   * throws with an `index` in its details refuses that event's line.
   */
  readonly prepare?:
    | ((events: readonly NewEvent[]) => readonly NewEvent[] | Promise<readonly NewEvent[]>)
    | undefined;
  /** Stops reading; what was read is still stored. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Bytes of JSON to a batch. Packed, an event takes no more than its JSON and what the store adds to it, so that a batch
 * stays well below `limits.batchBytesMax`.
 */
const batchJsonBytesMax = limits.batchBytesMax / 4;

/** Bytes of JSON of an atomic batch: what is above that many is above `limits.batchBytesMax` when packed, too. */
const atomicJsonBytesMax = 4 * limits.batchBytesMax;

const errorsMax = 1000;

/** Lines that are to be stored soon wait no longer than this for more, however steadily it comes. */
const heldMsMax = 200;

/** A line on its way into the store. */
interface Item {
  readonly line: number;
  /** Undefined for a line that was refused when it was read. */
  readonly event: NewEvent | undefined;
  result: LineResult | undefined;
}

/**
 * Stores every event of a stream that can be stored. Gives what became of the lines in their order, batch by batch, and
 * reads on when it is asked for more. Memory: one batch.
 *
 * @throws what reading throws; the codes of `append` that are about no line, after the results of the lines before
 */
export async function* ingest(
  store: Pick<EventLog, "append" | "head">,
  chunks: AsyncIterable<Uint8Array>,
  options: IngestOptions = {},
): AsyncGenerator<readonly LineResult[], IngestSummary> {
  const run = new IngestRun(store, options);
  const { signal, lingerMs } = options;
  const cutter = new LineCutter();
  const source = chunks[Symbol.asyncIterator]();
  let isReading = false;
  try {
    while (!isStopped(signal)) {
      const next = source.next();
      isReading = true;
      const waitMs = lingerMs === undefined ? undefined : run.waitMs(lingerMs);
      if (waitMs !== undefined && !(await settlesWithin(next, waitMs))) yield* run.flush();
      const read = await next;
      isReading = false;
      if (read.done === true || isStopped(signal)) break;
      for (const line of cutter.cut(read.value)) {
        if (run.take(line)) yield* run.flush();
      }
    }
  } finally {
    // What the sender is still to send is not waited for.
    const ended = source.return?.().catch(() => undefined);
    if (!isReading) await ended;
  }
  const last = isStopped(signal) ? undefined : cutter.rest();
  if (last !== undefined) run.take(last);
  yield* run.finish();
  return run.summary();
}

function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

class IngestRun {
  readonly #store: Pick<EventLog, "append" | "head">;
  readonly #options: IngestOptions;
  readonly #batchEvents: number;
  readonly #errors: LineError[] = [];
  /** Events sent at once: fewer while many are refused, so that little is sent again after a refusal. */
  #sendEvents: number;
  #items: Item[] = [];
  #itemBytes = 0;
  /** When the first of them came, in milliseconds of the process. */
  #heldSince = 0;
  /** Whether a line of an atomic batch was refused. */
  #isLost = false;
  #stored = 0;
  #duplicates = 0;
  #refused = 0;

  constructor(store: Pick<EventLog, "append" | "head">, options: IngestOptions) {
    this.#store = store;
    this.#options = options;
    this.#batchEvents = options.batchEvents ?? 1000;
    this.#sendEvents = this.#batchEvents;
  }

  /** How long the lines held may still wait for more; undefined where nothing is to be stored before that. */
  waitMs(lingerMs: number): number | undefined {
    if (this.#items.length === 0 || this.#options.atomic === true) return undefined;
    return Math.max(0, Math.min(lingerMs, this.#heldSince + heldMsMax - performance.now()));
  }

  /** @returns whether what is held is to be flushed. @throws `batch-too-large` */
  take(line: Line): boolean {
    const item = this.#read(line);
    this.#itemBytes += "bytes" in line ? line.bytes : 0;
    if (this.#options.atomic === true) return this.#takeWhole(item);
    if (this.#items.length === 0) this.#heldSince = performance.now();
    this.#items.push(item);
    return this.#items.length >= this.#batchEvents || this.#itemBytes >= batchJsonBytesMax;
  }

  /** Once a line is refused, nothing of an atomic batch will be stored: the other events are let go, and count as refused. */
  #takeWhole(item: Item): boolean {
    if (!this.#isLost && item.event === undefined) {
      this.#isLost = true;
      this.#refused += this.#items.length;
      this.#items = [];
    }
    if (!this.#isLost) {
      this.#items.push(item);
      this.#assertOneBatch(item.line);
      return false;
    }
    if (item.event === undefined) this.#items.push(item);
    else this.#refused += 1;
    return this.#items.length >= this.#batchEvents;
  }

  /** Stores what can be stored of what is held, and tells what became of it. */
  async *flush(): AsyncGenerator<readonly LineResult[]> {
    const items = this.#items;
    this.#items = [];
    this.#itemBytes = 0;
    let failure: unknown;
    try {
      await this.#storeItems(items.filter(({ event }) => event !== undefined));
    } catch (error) {
      failure = error;
    }
    const results = this.#results(items);
    if (results.length > 0) yield results;
    if (failure !== undefined) throw failure;
  }

  async *finish(): AsyncGenerator<readonly LineResult[]> {
    if (this.#options.atomic === true && !this.#isLost) yield* this.#flushWhole();
    else yield* this.flush();
  }

  summary(): IngestSummary {
    return {
      stored: this.#stored,
      duplicates: this.#duplicates,
      refused: this.#refused,
      head: this.#store.head,
      errors: this.#errors,
    };
  }

  #read(line: Line): Item {
    const item: Item = { line: line.number, event: undefined, result: undefined };
    try {
      return { ...item, event: validateEvent(parseJson(textOf(line))) };
    } catch (error) {
      this.#refuse(item, error);
      return item;
    }
  }

  #assertOneBatch(line: number): void {
    const isLong = this.#items.length > limits.batchEventsMax;
    if (!isLong && this.#itemBytes <= atomicJsonBytesMax) return;
    const bounds = { eventsMax: limits.batchEventsMax, bytesMax: limits.batchBytesMax };
    throw new StoreError(
      "batch-too-large",
      `All or nothing is for at most ${bounds.eventsMax} events and ${bounds.bytesMax} bytes.`,
      {
        hint: "Do without it: every event with an id can safely be sent again.",
        details: { line, ...bounds },
      },
    );
  }

  /** All of it or nothing: a line that is refused refuses the rest. */
  async *#flushWhole(): AsyncGenerator<readonly LineResult[]> {
    const items = this.#items;
    if (items.length === 0) return;
    try {
      await this.#append(items, this.#options.idempotencyKey);
    } catch (error) {
      const refused = items[refusedIndex(error, items.length) ?? -1];
      if (refused === undefined) throw error;
      this.#refuse(refused, error);
      this.#refused = items.length;
    }
    yield this.#results(items);
  }

  /** What became of lines that have been settled; those refused are remembered for the summary. */
  #results(items: readonly Item[]): LineResult[] {
    const results: LineResult[] = [];
    for (const { result } of items) {
      if (result === undefined) continue;
      results.push(result);
      if (result.status !== "refused" || this.#errors.length >= errorsMax) continue;
      const { status: _, ...told } = result;
      this.#errors.push(told);
    }
    return results;
  }

  /** Stores what can be stored: the events before a refused one, then those after it. */
  async #storeItems(items: readonly Item[]): Promise<void> {
    let at = 0;
    // Events before one that was refused, which are sent without it.
    let before = 0;
    while (at < items.length) {
      const part = items.slice(at, at + (before || this.#sendEvents));
      try {
        await this.#append(part);
        at += part.length;
        if (before === 0) this.#sendEvents = Math.min(this.#sendEvents * 2, this.#batchEvents);
        before = 0;
      } catch (error) {
        const index = refusedIndex(error, part.length);
        const [first] = part;
        if (index === undefined || first === undefined) throw error;
        before = index;
        // Of those before it others may be refused: `prepare` looks at all of them before the store looks at any.
        if (index > 0) continue;
        this.#refuse(first, error);
        at += 1;
        this.#sendEvents = Math.max(1, Math.floor(this.#sendEvents / 2));
      }
    }
  }

  async #append(items: readonly Item[], idempotencyKey?: string): Promise<void> {
    const sent = items.flatMap(({ event }) => event ?? []);
    const given = (await this.#options.prepare?.(sent)) ?? sent;
    const { events } = await (idempotencyKey === undefined
      ? this.#store.append(given)
      : this.#store.append(given, { idempotencyKey }));
    for (const [index, item] of items.entries()) {
      const appended = events[index];
      if (appended === undefined) continue;
      if (appended.status === "stored") this.#stored += 1;
      else this.#duplicates += 1;
      item.result = storedLine(item.line, appended);
    }
  }

  #refuse(item: Item, error: unknown): void {
    if (!isStoreError(error)) throw error;
    this.#refused += 1;
    item.result = refusedLine(item.line, error);
  }
}

/** Which event of a batch an error is about; undefined when it is not about one. */
function refusedIndex(error: unknown, count: number): number | undefined {
  if (!isStoreError(error)) return undefined;
  const { index } = error.details;
  if (typeof index !== "number" || index >= count) return undefined;
  return ["invalid", "denied", "conflict", "not-found"].includes(error.category)
    ? index
    : undefined;
}

function textOf(line: Line): string {
  if ("text" in line) return line.text;
  if (line.problem === "not-utf-8") {
    throw new StoreError("event-invalid", "The line is not UTF-8.", {
      hint: "Write the file as UTF-8.",
    });
  }
  throw new StoreError("event-too-large", `The line is longer than ${lineBytesMax} bytes.`, {
    details: { bytesMax: lineBytesMax },
  });
}

/** @throws `event-invalid` for text that is no JSON, or whose value would not be what it says */
function parseJson(text: string): unknown {
  const { value, loss } = readLine(text);
  if (loss === undefined) return value;
  throw new StoreError("event-invalid", `${loss.pointer || "The line"} ${loss.message}.`, {
    details: { issues: [loss], issueCount: 1 },
  });
}

function readLine(text: string): JsonReading {
  try {
    return readJson(text);
  } catch (error) {
    throw new StoreError(
      "event-invalid",
      `The line is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: "Put one JSON object on each line.",
      },
    );
  }
}
