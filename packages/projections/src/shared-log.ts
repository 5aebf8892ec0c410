/** Reads the log for several projections, decoding what they are at together once. */
import {
  throwIfAborted,
  type EmbeddedStore,
  type Position,
  type RecordedEvent,
} from "@sennit/core";
import { decodeFoldedEvent, Entry } from "@sennit/core/storage";

/** Chunks kept for those that follow closely: at most some megabytes, because the storage bounds a chunk. */
const recentMax = 4;

/** An entry as it is stored. */
type Stored = readonly [position: Position, value: Uint8Array];

interface Chunk {
  /** Head of the log before it was read: what is erased later may still be in it. */
  readonly head: Position;
  readonly from: Position;
  readonly entries: readonly Stored[];
  /** Those that have been decoded while there was more than one reader. */
  readonly events: (RecordedEvent | undefined)[];
}

/** What a reader wants. */
interface Range {
  readonly from: Position;
  readonly until: Position;
  /** Head of the log when the fold of the reader began: it gets nothing that was read before. */
  readonly begunAt: Position;
}

/** What is being read of a view the storage had of itself. */
interface Pass {
  readonly head: Position;
  readonly from: Position;
  readonly chunks: AsyncGenerator<readonly Stored[]>;
}

/** A chunk being read. */
interface Pull {
  readonly head: Position;
  readonly chunk: Promise<Chunk | undefined>;
}

/** One decoded pass over the log serves every reader that is where another one is, or a few chunks behind. */
export class SharedLog {
  readonly #store: EmbeddedStore;
  readonly #freezes: boolean;
  #readers = 0;
  /** Passes by the position they come to next. */
  readonly #passes = new Map<Position, Pass>();
  /** Chunks being read, by their first position. */
  readonly #pending = new Map<Position, Pull>();
  #recent: Chunk[] = [];

  /** @param freezes whether events are decoded whole and frozen to the bottom, because code that is not our own gets them */
  constructor(store: EmbeddedStore, freezes: boolean) {
    this.#store = store;
    this.#freezes = freezes;
  }

  get head(): Position {
    return this.#store.head;
  }

  /** The events of a range in chunks. They are shared: nobody may change them. @throws the codes of `EventLog.read` */
  async *read(
    { from, until, begunAt }: Range,
    signal: AbortSignal,
  ): AsyncGenerator<Iterable<RecordedEvent>> {
    this.#readers += 1;
    try {
      for (let position = from; position <= until;) {
        throwIfAborted(signal);
        const chunk = await this.#chunkAt({ from: position, until, begunAt });
        if (chunk === undefined) return;
        const end = Math.min(until + 1, chunk.from + chunk.entries.length);
        yield this.#events(chunk, position - chunk.from, end - chunk.from);
        position = end;
      }
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) await this.#release();
    }
  }

  #chunkAt(range: Range): Promise<Chunk | undefined> | Chunk {
    const { from: position, begunAt } = range;
    const recent = this.#recent.find(
      ({ head, from, entries }) =>
        head >= begunAt && from <= position && position < from + entries.length,
    );
    if (recent !== undefined) return recent;
    const pending = this.#pending.get(position);
    if (pending !== undefined && pending.head >= begunAt) return pending.chunk;
    const begun = this.#passes.get(position);
    this.#passes.delete(position);
    const isTooOld = begun !== undefined && begun.head < begunAt;
    const pass = begun === undefined || isTooOld ? this.#pass(range) : begun;
    const chunk = this.#pull(pass, range, isTooOld ? begun : undefined).finally(() => {
      if (this.#pending.get(position) === pull) this.#pending.delete(position);
    });
    const pull: Pull = { head: pass.head, chunk };
    this.#pending.set(position, pull);
    return chunk;
  }

  #pass({ from, until }: Range): Pass {
    const { head, log } = this.#store;
    return { head, from, chunks: log.readStoredEntries({ from, until }) };
  }

  /** @param unused a pass that goes no further */
  async #pull(pass: Pass, range: Range, unused?: Pass): Promise<Chunk | undefined> {
    const { from } = range;
    const { head } = pass;
    await unused?.chunks.return(undefined);
    const { value: entries, done } = await pass.chunks.next();
    // One begun for a reader that wanted less goes no further.
    if (done === true) return pass.from === from ? undefined : this.#pull(this.#pass(range), range);
    const chunk = { head, from, entries, events: [] };
    const end = from + entries.length;
    const other = this.#passes.get(end);
    const [kept, left] = other !== undefined && other.head > head ? [other, pass] : [pass, other];
    this.#passes.set(end, kept);
    await left?.chunks.return(undefined);
    // What nobody else reads should be forgotten as soon as it is folded: keeping it costs the garbage collector most.
    this.#recent = this.#readers > 1 ? [...this.#recent.slice(1 - recentMax), chunk] : [];
    return chunk;
  }

  /** Decodes events when they are asked for. */
  *#events({ entries, events }: Chunk, from: number, until: number): Generator<RecordedEvent> {
    for (let index = from; index < until; index += 1) {
      let event = events[index];
      if (event === undefined) {
        event = this.#decode(entries[index] as Stored);
        if (this.#readers > 1) events[index] = event;
      }
      yield event;
    }
  }

  #decode([position, value]: Stored): RecordedEvent {
    if (!this.#freezes) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return decodeFoldedEvent(position, { bytes, start: 0, end: bytes.length });
    }
    const event = Entry.decode(position, value).event();
    deepFreeze(event);
    return event;
  }

  /** Nobody reads: nothing is kept, and the database may let go of what it was reading. */
  async #release(): Promise<void> {
    const passes = [...this.#passes.values()];
    this.#passes.clear();
    this.#recent = [];
    await Promise.all(passes.map(({ chunks }) => chunks.return(undefined)));
  }
}

/** Freezes a value of JSON and everything in it, however deep. */
export function deepFreeze(root: object): void {
  const open: unknown[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null) continue;
    Object.freeze(value);
    for (const member of Object.values(value)) {
      if (typeof member === "object" && member !== null) open.push(member);
    }
  }
}
