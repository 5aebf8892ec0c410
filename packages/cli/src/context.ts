/** What a command works with: its values, its store, its output. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import {
  openStore,
  parseAsOf,
  parseRef,
  StoreError,
  type AsOf,
  type EmbeddedStore,
  type Reader,
  type RecordId,
} from "@sennit/core";
import type { ProjectionDefinition, ViewReader, Views } from "@sennit/projections";

import type { Io } from "./io.ts";
import { Output } from "./output.ts";
import type { Values } from "./values.ts";

/** Directory of the default store. */
export const storeDirectoryName = ".sennit";

export class Context {
  readonly io: Io;
  readonly values: Values;
  readonly out: Output;
  #store: EmbeddedStore | undefined;
  #views: Views | undefined;

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

  /** Where the store is. @throws `store-not-found` when nothing names one and none is near */
  storeDirectory(): string {
    const flag = this.values.text("store");
    if (flag === "") {
      throw new StoreError("argument-invalid", "--store is empty.", {
        hint: "Name a directory; a variable in the command may be unset.",
        details: { flag: "--store" },
      });
    }
    const named = flag ?? this.io.env["SENNIT_STORE"];
    if (named !== undefined && named !== "") {
      if (/^https?:\/\//.test(named)) {
        throw new StoreError(
          "argument-invalid",
          `${named} is a URL; this version opens directories only.`,
          {
            details: { flag: "--store" },
          },
        );
      }
      return resolve(this.io.cwd, named);
    }
    for (let directory = resolve(this.io.cwd); ; directory = dirname(directory)) {
      const candidate = join(directory, storeDirectoryName);
      if (existsSync(candidate)) return candidate;
      if (dirname(directory) === directory) break;
    }
    throw new StoreError("store-not-found", `There is no ${storeDirectoryName} here or above.`, {
      hint: "Make a store with: sennit init, or name one with --store DIR",
    });
  }

  /** The store, opened on first use and closed when the command ends. */
  async store(): Promise<EmbeddedStore> {
    if (this.#store === undefined) {
      const directory = this.storeDirectory();
      this.#store = await openStore(directory, { create: false, clock: this.io.clock });
      const { damage } = this.#store;
      // Answers from a damaged store are true where it is intact, and whoever reads them must know.
      if (damage !== undefined) this.out.note(`warning ${damage.code}: ${damage.message}`);
    }
    return this.#store;
  }

  /** A reader of the instant asked for. */
  async reader(): Promise<Reader> {
    return (await this.store()).at(this.asOf);
  }

  /** A reader with the indexes, of the instant asked for or given. */
  async viewReader(asOf: AsOf | undefined = this.asOf): Promise<ViewReader> {
    return (await this.views()).at(asOf, { signal: this.io.signal });
  }

  /** The views, opened on first use. @param projections followed beside the built-in ones, if they are opened now */
  async views(projections: readonly ProjectionDefinition[] = []): Promise<Views> {
    const store = await this.store();
    if (this.#views === undefined) {
      const { openViews } = await import("@sennit/projections");
      this.#views = await openViews(store, { projections });
    }
    return this.#views;
  }

  /** Removes the views, in which rows of erased content may be, also of projections this program does not know. */
  async removeViews(): Promise<void> {
    const { directory } = await this.store();
    await this.#views?.close();
    this.#views = undefined;
    if (directory === undefined) return;
    await rm(join(directory, "views"), { recursive: true, force: true });
  }

  /** The ref with `KIND/NAME` replaced by an id. The indexes are opened only when the ref is no id. */
  async resolve(ref: string): Promise<string> {
    const { target } = parseRef(ref);
    const reader = await this.reader();
    if (!target.includes("/") || (await reader.findRecord(target)) !== undefined) return ref;
    return (await this.viewReader()).resolve(ref);
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
    try {
      await this.#views?.close();
    } finally {
      await this.#store?.close();
    }
  }
}
