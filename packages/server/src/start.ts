/** A server that listens: opens the store, says where it answers, and closes what it opened. */
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";

import { openStore, type Clock, type Store } from "@sennit/core";
import { openViews } from "@sennit/projections";

import { assertMayListen } from "./access/assert-may-listen.ts";
import { buildServer } from "./app.ts";
import { completeSettings } from "./config/resolve-settings.ts";
import type { SomeSettings } from "./config/settings.ts";
import { listenError, urlOf } from "./listening.ts";
import type { LogTarget } from "./operations/logging.ts";

/** Settings that are not given have their defaults. */
export interface StartServerOptions extends SomeSettings {
  /** Of the store; it must be there. */
  readonly directory: string;
  /** Gets the log, a line of JSON at a time. Default: there is none. */
  readonly log?: LogTarget | undefined;
  /** Of the store. Default: the system's. */
  readonly clock?: Clock | undefined;
}

export interface RunningServer {
  readonly url: string;
  /** What is served. */
  readonly store: Pick<Store, "storeId" | "head">;
  /** Finishes what was begun, then closes the views and the store. */
  close(): Promise<void>;
}

/**
 * Opens a store and listens. What was opened is closed again when something of it fails.
 *
 * @throws `setting-invalid`, also for an address that others reach without saying how they show who they are;
 * `file-unreadable`, `listen-failed`, the codes of `openStore`
 */
export async function startServer({
  directory,
  log,
  clock,
  ...given
}: StartServerOptions): Promise<RunningServer> {
  const settings = completeSettings(given);
  await assertMayListen(directory, settings);
  // For the store's owner, who alone can read the discovery file.
  const localToken = randomBytes(32).toString("base64url");
  // What was opened last is closed first.
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let last = opened.pop(); last !== undefined; last = opened.pop()) await last();
  };
  try {
    // Who has waited for the server to come back may ask the moment it listens, and who finds the store locked before that waits.
    const store = await openStore(directory, { create: false, clock, localToken });
    opened.push(() => store.close());
    const views = await openViews(store);
    opened.push(() => views.close());
    const app = await buildServer({
      store,
      views,
      settings,
      localToken,
      ...(log !== undefined && { log }),
    });
    opened.push(() => app.close());
    await app.listen({ host: settings.host, port: settings.port }).catch((error: unknown) => {
      throw listenError(settings, error);
    });
    const url = await urlOf(settings, app.server.address() as AddressInfo);
    await store.announce(url, localToken);
    // Who looks for the server does not find one that is about to end.
    opened.push(() => store.announce(undefined));
    return { url, store, close };
  } catch (error) {
    await close();
    throw error;
  }
}
