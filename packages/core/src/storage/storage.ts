/** The storage port: ordered bytes, written in atomic, durable batches. */

/** One key with its value. */
export type StorageEntry = readonly [key: Uint8Array, value: Uint8Array];

/** What one write changes. Keys not named stay as they are. */
export interface WriteBatch {
  readonly puts: readonly StorageEntry[];
  readonly deletes?: readonly Uint8Array[];
}

/** A half-open range of keys in byte order. */
export interface KeyRange {
  /** First key that may be in the range. */
  readonly from: Uint8Array;
  /** First key after the range. */
  readonly until: Uint8Array;
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean | undefined;
  /** Entries at most. Default: all. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ordered bytes under bytes.
 *
 * Every implementation guarantees:
 * - `write` is atomic and durable: once it resolves, the batch survives the death of the process and of the machine;
 *   when it rejects, the batch may or may not be there, but never in part;
 * - writes take effect in the order of their calls;
 * - `get` and `scan` see every write that has resolved, and what `get` returns is not changed afterwards;
 * - one `scan` reads one state: writes during it are not seen, or seen whole in keys not yet reached.
 */
export interface Storage {
  /** The value under a key, or undefined. */
  get(key: Uint8Array): Uint8Array | undefined;
  write(batch: WriteBatch): Promise<void>;
  /** The entries of a range in chunks, so that long reads use constant memory. @throws `aborted` */
  scan(range: KeyRange): AsyncIterable<readonly StorageEntry[]>;
  close(): Promise<void>;
}
