/** The durable subscriptions of a store, each in a file of its own beside the log. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { StoreError, toStoreError, type EmbeddedStore, type Position } from "@sennit/core";
import { writeWhole } from "@sennit/core/storage";

import {
  assertSubscriptionName,
  formatSubscription,
  isSameFilter,
  parseSubscription,
  type Subscription,
} from "./subscription.ts";

const directoryName = "subscriptions";
const suffix = ".json";

export interface NewSubscription extends Pick<Subscription, "filter" | "maker"> {
  /** The first position. Default: what comes next. */
  readonly from?: Position | undefined;
}

/** Those of a store in memory are kept in memory. */
export class Subscriptions {
  readonly #store: EmbeddedStore;
  readonly #max: number;
  readonly #directory: string | undefined;
  /** What is durable of each, or why its file cannot be read. */
  readonly #known = new Map<string, Subscription | StoreError>();
  /** Changes of one are made one after the other. */
  readonly #changing = new Map<string, Promise<unknown>>();

  private constructor(store: EmbeddedStore, max: number) {
    this.#store = store;
    this.#max = max;
    if (store.directory !== undefined) this.#directory = join(store.directory, directoryName);
  }

  /** Reads all of them. One that is damaged is told when it is asked for, and does not keep the others from working. */
  static async open(store: EmbeddedStore, max: number): Promise<Subscriptions> {
    const subscriptions = new Subscriptions(store, max);
    await subscriptions.#load();
    return subscriptions;
  }

  get count(): number {
    return this.#known.size;
  }

  /** In the order of their names; damaged ones are left out. */
  list(): readonly Subscription[] {
    const intact = [...this.#known.values()].filter((one): one is Subscription => "filter" in one);
    return intact.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Whether there is one of this name that can be read. */
  has(name: string): boolean {
    const found = this.#known.get(name);
    return found !== undefined && "filter" in found;
  }

  /** @throws `subscription-not-found`, `file-damaged` */
  get(name: string): Subscription {
    const found = this.#known.get(name);
    if (found === undefined) {
      throw new StoreError("subscription-not-found", `There is no subscription "${name}".`, {
        details: { name },
      });
    }
    if (found instanceof StoreError) throw found;
    return found;
  }

  /**
   * Makes a subscription, durable when this resolves. One that is there with the same filter stays as it is.
   *
   * @throws `argument-invalid`, `subscription-exists` with another filter or start, `too-many-subscriptions`, `file-damaged`
   */
  create(
    name: string,
    { filter, from, maker }: NewSubscription,
  ): Promise<{ readonly subscription: Subscription; readonly isNew: boolean }> {
    assertSubscriptionName(name);
    return this.#change(name, async () => {
      if (this.#known.has(name)) {
        const subscription = this.get(name);
        const isSame = isSameFilter(subscription.filter, filter);
        if (isSame && (from ?? subscription.from) === subscription.from) {
          return { subscription, isNew: false };
        }
        throw new StoreError(
          "subscription-exists",
          `The subscription "${name}" is there with another filter or start.`,
          { details: { name } },
        );
      }
      if (this.#known.size >= this.#max) {
        throw new StoreError(
          "too-many-subscriptions",
          `There are ${this.#max} subscriptions, and that is as many as there may be.`,
          { details: { max: this.#max } },
        );
      }
      const first = from ?? this.#store.head + 1;
      const subscription: Subscription = {
        name,
        maker,
        filter,
        from: first,
        acknowledged: first - 1,
        delivered: first - 1,
        createdAt: new Date().toISOString(),
      };
      await this.#save(subscription);
      return { subscription, isNew: true };
    });
  }

  /** Notes how far its reader is about to be told. Durable when this resolves, so that a restart does not forget it. */
  async deliver(name: string, position: Position): Promise<void> {
    if (position <= this.get(name).delivered) return;
    await this.#change(name, async () => {
      const subscription = this.get(name);
      if (position <= subscription.delivered) return;
      await this.#save({ ...subscription, delivered: position });
    });
  }

  /**
   * Takes everything up to a position as dealt with. To go back is no change.
   *
   * @throws `not-delivered` for a position ahead of what its reader was given, `subscription-not-found`
   */
  acknowledge(name: string, position: Position): Promise<Subscription> {
    return this.#change(name, async () => {
      const subscription = this.get(name);
      const { delivered, acknowledged } = subscription;
      if (position > delivered) {
        throw new StoreError(
          "not-delivered",
          `The subscription "${name}" was delivered up to position ${delivered}, and ${position} is acknowledged.`,
          { details: { name, delivered, position } },
        );
      }
      if (position <= acknowledged) return subscription;
      const next = { ...subscription, acknowledged: position };
      await this.#save(next);
      return next;
    });
  }

  /** Also one whose file is damaged. @throws `subscription-not-found` */
  async remove(name: string): Promise<void> {
    await this.#change(name, async () => {
      if (!this.#known.has(name)) this.get(name);
      if (this.#directory !== undefined) await rm(this.#pathOf(name), { force: true });
      this.#known.delete(name);
    });
  }

  async #load(): Promise<void> {
    if (this.#directory === undefined) return;
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    });
    for (const file of names.filter((one) => one.endsWith(suffix))) {
      const name = file.slice(0, -suffix.length);
      this.#known.set(name, await this.#read(name));
    }
  }

  async #read(name: string): Promise<Subscription | StoreError> {
    const path = this.#pathOf(name);
    try {
      return parseSubscription(path, await readFile(path, "utf8"));
    } catch (error) {
      return toStoreError(error);
    }
  }

  async #save(subscription: Subscription): Promise<void> {
    const { name } = subscription;
    if (this.#directory !== undefined) {
      await mkdir(this.#directory, { recursive: true });
      await writeWhole(this.#pathOf(name), formatSubscription(subscription));
    }
    this.#known.set(name, subscription);
  }

  #pathOf(name: string): string {
    return join(this.#directory ?? "", `${name}${suffix}`);
  }

  #change<T>(name: string, change: () => Promise<T>): Promise<T> {
    const before = this.#changing.get(name) ?? Promise.resolve();
    const done = before.catch(() => undefined).then(change);
    this.#changing.set(name, done);
    const forget = () => {
      if (this.#changing.get(name) === done) this.#changing.delete(name);
    };
    done.then(forget, forget);
    return done;
  }
}
