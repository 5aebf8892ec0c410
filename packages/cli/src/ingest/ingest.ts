/** Stores events from NDJSON: line by line, in batches, with a word on every line that is refused. */
import {
  isStoreError,
  limits,
  StoreError,
  validateEvent,
  type NewEvent,
  type Position,
  type Store,
  readJson,
  type JsonReading,
} from "@sennit/core";

import { LineErrors, type LineError } from "./line-errors.ts";
import { lineBytesMax, readLines, type Line } from "./lines.ts";

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
  /** All or nothing, in one batch. */
  readonly atomic: boolean;
  /** Events to a batch. */
  readonly batchEvents: number;
  /** Set on events that name no actor. */
  readonly actor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((lines: number) => void) | undefined;
}

/**
 * Bytes of JSON to a batch. Packed, an event takes no more than its JSON and what the store adds to it, so that a batch
 * stays well below `limits.batchBytesMax`.
 */
const batchJsonBytesMax = limits.batchBytesMax / 4;

interface Item {
  readonly line: number;
  readonly event: NewEvent;
}

/** Stores every event of a stream that can be stored. Memory: one batch. */
export async function ingest(
  store: Store,
  chunks: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): Promise<IngestSummary> {
  const run = new IngestRun(store, options);
  for await (const line of readLines(chunks)) {
    if (options.signal?.aborted === true) break;
    await run.take(line);
  }
  return run.finish();
}

class IngestRun {
  readonly #store: Store;
  readonly #options: IngestOptions;
  readonly #errors = new LineErrors();
  /** Events sent at once: fewer while many are refused, so that little is sent again after a refusal. */
  #sendEvents: number;
  #items: Item[] = [];
  #itemBytes = 0;
  #stored = 0;
  #duplicates = 0;
  #refused = 0;

  constructor(store: Store, options: IngestOptions) {
    this.#store = store;
    this.#options = options;
    this.#sendEvents = options.batchEvents;
  }

  async take(line: Line): Promise<void> {
    const { atomic, batchEvents, onProgress } = this.#options;
    const event = this.#parse(line);
    if (event === undefined) return;
    this.#items.push({ line: line.number, event });
    this.#itemBytes += "bytes" in line ? line.bytes : 0;
    if (atomic && this.#items.length > limits.batchEventsMax) {
      throw new StoreError(
        "batch-too-large",
        `With --atomic at most ${limits.batchEventsMax} events are taken.`,
        {
          hint: "Leave --atomic out: every event with an id can safely be sent again.",
          details: { line: line.number, eventsMax: limits.batchEventsMax },
        },
      );
    }
    const isFull = this.#items.length >= batchEvents || this.#itemBytes >= batchJsonBytesMax;
    if (atomic || !isFull) return;
    await this.#flush();
    onProgress?.(line.number);
  }

  async finish(): Promise<IngestSummary> {
    if (this.#options.atomic) await this.#flushWhole();
    else await this.#flush();
    return {
      stored: this.#stored,
      duplicates: this.#duplicates,
      refused: this.#refused,
      head: this.#store.head,
      errors: this.#errors.list(),
    };
  }

  #parse(line: Line): NewEvent | undefined {
    try {
      const event = validateEvent(parseJson(textOf(line)));
      const { actor } = this.#options;
      return actor === undefined || event.actor !== undefined ? event : { ...event, actor };
    } catch (error) {
      this.#refuse(line.number, error);
      return undefined;
    }
  }

  /** All of it or nothing: a line that is refused refuses the rest. */
  async #flushWhole(): Promise<void> {
    if (this.#items.length === 0) return;
    if (this.#refused > 0) {
      this.#refused += this.#items.length;
      this.#items = [];
      return;
    }
    try {
      await this.#append(this.#items);
    } catch (error) {
      const index = refusedIndex(error, this.#items.length);
      if (index === undefined) throw error;
      this.#refuse(this.#items[index]?.line ?? 0, error);
      this.#refused = this.#items.length;
    }
  }

  /** Stores what can be stored: the events before a refused one, then those after it. */
  async #flush(): Promise<void> {
    const items = this.#items;
    this.#items = [];
    this.#itemBytes = 0;
    let at = 0;
    while (at < items.length) {
      const part = items.slice(at, at + this.#sendEvents);
      try {
        await this.#append(part);
        at += part.length;
        this.#sendEvents = Math.min(this.#sendEvents * 2, this.#options.batchEvents);
      } catch (error) {
        const index = refusedIndex(error, part.length);
        if (index === undefined) throw error;
        if (index > 0) await this.#append(part.slice(0, index));
        this.#refuse(part[index]?.line ?? 0, error);
        at += index + 1;
        this.#sendEvents = Math.max(1, Math.floor(this.#sendEvents / 2));
      }
    }
  }

  async #append(items: readonly Item[]): Promise<void> {
    const { events } = await this.#store.append(items.map(({ event }) => event));
    const duplicates = events.filter(({ status }) => status === "duplicate").length;
    this.#duplicates += duplicates;
    this.#stored += events.length - duplicates;
  }

  #refuse(line: number, error: unknown): void {
    if (!isStoreError(error)) throw error;
    this.#refused += 1;
    this.#errors.add(line, error);
  }
}

/** Which event of a batch an error is about; undefined when it is not about one. */
function refusedIndex(error: unknown, count: number): number | undefined {
  if (!isStoreError(error)) return undefined;
  const { index } = error.details;
  if (typeof index !== "number" || index >= count) return undefined;
  return ["invalid", "conflict", "not-found"].includes(error.category) ? index : undefined;
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
