/** A server on a free port over a store in memory, for as long as a test needs it. */
import type { AddressInfo } from "node:net";

import { openMemoryStore, type EmbeddedStore } from "@sennit/core";
import { openViews, type Views } from "@sennit/projections";
import type { FastifyInstance } from "fastify";

import { buildServer } from "../app.ts";
import type { SomeSettings } from "../config/settings.ts";

export interface Serving {
  readonly url: string;
  readonly port: number;
  readonly app: FastifyInstance;
  readonly store: EmbeddedStore;
  readonly views: Views;
  /** The lines logged so far, as objects. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
}

/** @param settings beside the defaults */
export async function withServer(
  settings: SomeSettings,
  use: (serving: Serving) => Promise<void>,
): Promise<void> {
  const store = await openMemoryStore();
  const views = await openViews(store);
  const logged: Record<string, unknown>[] = [];
  const log = { write: (line: string) => logged.push(JSON.parse(line) as Record<string, unknown>) };
  const app = await buildServer({ store, views, settings, log });
  try {
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    await use({ url: `http://127.0.0.1:${port}`, port, app, store, views, logged });
  } finally {
    await app.close();
    await views.close();
    await store.close();
  }
}
