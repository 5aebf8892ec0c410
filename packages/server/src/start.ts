/** A server that listens: opens the store, says where it answers, and closes what it opened. */
import type { AddressInfo } from "node:net";

import { openStore } from "@sennit/core";
import { openViews, timelineProjection } from "@sennit/projections";

import { buildServer } from "./app.ts";

export interface StartServerOptions {
  /** Of the store; it must be there. */
  readonly directory: string;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 for a free one. Default 4600. */
  readonly port?: number | undefined;
}

export interface RunningServer {
  readonly url: string;
  /** Finishes what was begun, then closes the views and the store. */
  close(): Promise<void>;
}

/** @throws the codes of `openStore`; the errors of `listen` */
export async function startServer({
  directory,
  host = "127.0.0.1",
  port = 4600,
}: StartServerOptions): Promise<RunningServer> {
  const store = await openStore(directory, { create: false });
  const views = await openViews(store, { projections: [timelineProjection] });
  const app = await buildServer({ store, views });
  await app.listen({ host, port });
  const address = app.server.address() as AddressInfo;
  const url = `http://${host}:${address.port}`;
  await store.announce(url);
  const close = async (): Promise<void> => {
    await app.close();
    await views.close();
    await store.close();
  };
  return { url, close };
}
