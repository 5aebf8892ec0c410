/** What a command works with: its values, its store, its output. */
import {
  parseAsOf,
  parseRef,
  StoreError,
  type AsOf,
  type Reader,
  type RecordId,
  type Store,
} from "@sennit/core";
import type { ViewReader } from "@sennit/projections";

import type { Io } from "./io.ts";
import { Output } from "./output.ts";
import { findPlace } from "./target/place.ts";
import { openTarget } from "./target/open-target.ts";
import type { Target } from "./target/target.ts";
import type { Values } from "./values.ts";

export class Context {
  readonly io: Io;
  readonly values: Values;
  readonly out: Output;
  #target: Promise<Target> | undefined;

  constructor(io: Io, values: Values) {
    this.io = io;
    this.values = values;
    this.out = new Output(io, values.flag("json"));
  }

  get actor(): string | undefined {
    return this.values.text("actor");
  }

  /** The instant asked for; undefined for the present. @throws `as-of-invalid` */
  get asOf(): AsOf | undefined {
    const text = this.values.text("as-of");
    return text === undefined ? undefined : parseAsOf(text);
  }

  /**
   * The directory of the store, for what must be done to its files.
   *
   * @param deed what it is for, such as `A repair`
   * @param hint what to do; default: do it while nobody has the store open
   * @throws `argument-invalid` for a URL, `store-not-found`
   */
  storeDirectory(
    deed: string,
    hint = "Do it on the machine that has the store, with --store DIR, while no server has it open.",
  ): string {
    const place = findPlace(this.values, this.io);
    if ("directory" in place) return place.directory;
    throw new StoreError("argument-invalid", `${deed} needs the directory of the store.`, {
      hint,
      details: { flag: "--store" },
    });
  }

  /** The store and what can be done to it, opened on first use and closed when the command ends. */
  target(): Promise<Target> {
    this.#target ??= openTarget(findPlace(this.values, this.io), this.io, this.out);
    return this.#target;
  }

  async store(): Promise<Store> {
    return (await this.target()).store;
  }

  /** A reader of the instant asked for. */
  async reader(): Promise<Reader> {
    return (await this.store()).at(this.asOf);
  }

  /** A reader with the indexes, of the instant asked for or given. */
  async viewReader(asOf: AsOf | undefined = this.asOf): Promise<ViewReader> {
    return (await this.target()).viewReader(asOf, { signal: this.io.signal });
  }

  /** The ref with `KIND/NAME` replaced by an id. */
  async resolve(ref: string): Promise<string> {
    return (await this.target()).resolve(ref, this.asOf, this.io.signal);
  }

  /** The id that a ref to a whole record means. @throws `usage` for a ref to one version */
  async resolveRecord(ref: string): Promise<RecordId> {
    const { target, version } = parseRef(ref);
    if (version !== undefined) {
      throw new StoreError("usage", `${JSON.stringify(ref)} names one version, not the record.`, {
        hint: `Write ${target}, or read the one version with: sennit show ${ref}`,
        details: { value: ref },
      });
    }
    return this.resolve(ref);
  }

  async close(): Promise<void> {
    const target = await this.#target?.catch(() => undefined);
    await target?.close();
  }
}
