/** Reads the entries of a log in chunks, and sees that none is missing. */
import { throwIfAborted } from "../abort.ts";
import { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import type { RecordedEvent } from "../event/event.ts";
import type { Position } from "../ids.ts";
import { entryKey, entryKeyPosition } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import { checkReadOptions } from "./conditions.ts";
import type { ReadOptions } from "./event-log.ts";

/** An entry as it is stored, unchecked: `Entry.decode` checks it. */
export type StoredEntry = readonly [position: Position, value: Uint8Array];

/** The entries asked for, none above the head; their content is not yet decoded. @throws `log-gap`, `checksum-mismatch` */
export async function* readEntries(
  storage: Storage,
  head: Position,
  options: ReadOptions,
): AsyncGenerator<readonly Entry[]> {
  for await (const chunk of readStoredEntries(storage, head, options)) {
    yield chunk.map(([position, value]) => Entry.decode(position, value));
  }
}

/** The events of those entries. @throws `log-gap`, `checksum-mismatch`, `aborted` */
export async function* readEvents(
  storage: Storage,
  head: Position,
  options: ReadOptions,
): AsyncGenerator<RecordedEvent> {
  for await (const entries of readEntries(storage, head, options)) {
    for (const entry of entries) {
      throwIfAborted(options.signal);
      yield entry.event();
    }
  }
}

/** The bytes of the entries asked for, none above the head. @throws `log-gap` */
export async function* readStoredEntries(
  storage: Storage,
  head: Position,
  options: ReadOptions,
): AsyncGenerator<readonly StoredEntry[]> {
  checkReadOptions(options);
  const until = Math.min(options.until ?? head, head);
  const reverse = options.reverse ?? false;
  const first = reverse ? 1 : Math.max(1, options.from ?? 1);
  const last = reverse ? Math.min(until, options.from ?? until) : until;
  const limit = options.limit ?? Infinity;
  if (first > last || limit < 1) return;
  let expected = reverse ? last : first;
  const range = {
    from: entryKey(first),
    until: entryKey(last + 1),
    reverse,
    signal: options.signal,
  };
  const chunks = storage.scan(Number.isFinite(limit) ? { ...range, limit } : range);
  const end = reverse ? Math.max(first, last - limit + 1) : Math.min(last, first + limit - 1);
  for await (const chunk of chunks) {
    yield chunk.map(([key, value]) => {
      const position = entryKeyPosition(key);
      if (position !== expected) throw gap(expected);
      expected += reverse ? -1 : 1;
      return [position, value] as const;
    });
  }
  if (expected !== end + (reverse ? -1 : 1)) throw gap(expected);
}

function gap(position: Position): StoreError {
  return new StoreError("log-gap", `Position ${position} is missing from the log.`, {
    details: { position },
  });
}
