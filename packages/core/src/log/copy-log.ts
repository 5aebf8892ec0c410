/** Copies a whole log, or the beginning of one, from one storage into another. */
import { throwIfAborted } from "../abort.ts";
import { must } from "../assert.ts";
import { Entry } from "../codec/entry.ts";
import type { Position } from "../ids.ts";
import { limits } from "../limits.ts";
import { StoredState, type IdempotentBatch } from "../records/state.ts";
import {
  entryKey,
  entryKeyPosition,
  idempotencyKeyRange,
  idempotencyKeyText,
} from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import { LogCopy, type CopiedLog, type LogCopyOptions } from "./log-copy.ts";

export interface CopyLogOptions extends LogCopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the position reached. */
  readonly onProgress?: ((position: Position) => void) | undefined;
}

/** An idempotency key with what it stands for. */
type NamedBatch = readonly [key: string, batch: IdempotentBatch];

/**
 * Copies the entries and the idempotency keys of a log, and makes all else anew. A target that holds the beginning of
 * the same log is gone on with.
 *
 * @throws what `LogCopy` throws; `checksum-mismatch` for stored bytes that have changed; `aborted`
 */
export async function copyLog(
  source: Storage,
  target: Storage,
  options: CopyLogOptions = {},
): Promise<CopiedLog> {
  const { until = limits.positionMax - 1, signal, onProgress } = options;
  const copy = LogCopy.open(target, options);
  const range = { from: entryKey(copy.head + 1), until: entryKey(until + 1), signal };
  for await (const chunk of source.scan(range)) {
    await copy.add(chunk.map(([key, value]) => Entry.decode(entryKeyPosition(key), value)));
    onProgress?.(copy.head);
  }
  for await (const keys of readIdempotencyKeys(source, signal)) await copy.addKeys(keys);
  throwIfAborted(signal);
  return copy.finish();
}

/** Every idempotency key of a log, in the order of their bytes. @throws `checksum-mismatch` */
export async function* readIdempotencyKeys(
  storage: Storage,
  signal?: AbortSignal,
): AsyncGenerator<readonly NamedBatch[]> {
  const state = new StoredState(storage);
  for await (const chunk of storage.scan({ ...idempotencyKeyRange, signal })) {
    yield chunk.map(([stored]) => {
      const key = idempotencyKeyText(stored);
      return [key, must(state.idempotentBatch(key), "a key that was scanned is there")] as const;
    });
  }
}
