/** Counts the documents of a run that speak of data in files outside: resources, datums and their stream forms. */
import { createHash } from "node:crypto";

import type { JsonValue } from "@sennit/core";

/** Counts by kind of document, in the order of the file. */
export class AssetCount {
  readonly #counts = new Map<string, number>();
  readonly #uids = createHash("sha256");
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(kind: string, uids: readonly string[]): void {
    this.#count += uids.length;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + uids.length);
    for (const uid of uids) this.#uids.update(JSON.stringify([kind, uid]));
  }

  /** Digest of the uids in order, 64 hexadecimal digits. */
  uidsDigest(): string {
    return this.#uids.copy().digest("hex");
  }

  /** What is stored with the run: `count` of all, and one member for each kind there is. */
  summary(): JsonValue {
    return { count: this.#count, ...Object.fromEntries(this.#counts) };
  }
}
