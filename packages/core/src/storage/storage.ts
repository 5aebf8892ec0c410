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
 * - writes take effect in the order of their calls, and after one has rejected all others reject until `recover` resolves;
 * - `get` and `scan` see every write that has resolved, and what `get` returns is not changed afterwards;
 * - one `scan` reads one state: writes during it are not seen, or seen whole in keys not yet reached.
 */
export interface Storage {
  /** The value under a key, or undefined. @throws `store-reopening` in the moments for which `readable` waits */
  get(key: Uint8Array): Uint8Array | undefined;
  /** @throws `disk-full`, `write-failed`, `store-closed` */
  write(batch: WriteBatch): Promise<void>;
  /** The entries of a range in chunks, so that long reads use constant memory. @throws `aborted` */
  scan(range: KeyRange): AsyncIterable<readonly StorageEntry[]>;
  /**
   * Takes writes again after one has rejected. From then on every write that resolved is there, and each that rejected is
   * there whole or not at all, for good. As long as that cannot be, it rejects, and reads go on. It may be called at any
   * time and as often as one likes; without a failed write it does nothing.
   *
   * @throws `disk-full`, `write-failed`, `store-closed`, and the codes of opening
   */
  recover(): Promise<void>;
  /**
   * Undefined when `get` can answer now. While `recover` has to shut the storage for a moment: resolves once it can.
   *
   * @throws the codes of `recover` when the storage cannot be opened again at present
   */
  readable(): Promise<void> | undefined;
  /**
   * Lets go of every value that was written over or deleted before the call: no file holds it any more. Scans that are at
   * work go on with the state of now. What the device keeps of files that are gone is beyond it. It takes as long as
   * writing everything once.
   *
   * @throws the codes of `write`
   */
  compact(): Promise<void>;
  close(): Promise<void>;
}
