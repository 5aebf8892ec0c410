/** A server on a free port over a store that the test has in its hands. */
import type { AddressInfo } from "node:net";

import { openStoreOn, openMemoryStorage, type EmbeddedStore, type Storage } from "@sennit/core";
import { openViews } from "@sennit/projections";

import { buildServer, type BuildServerOptions } from "../app.ts";

export interface ServedStore {
  readonly url: string;
  readonly port: number;
  readonly store: EmbeddedStore;
  /** Sends a body, as JSON unless it is text, bytes or a stream, and reads the answer as JSON. */
  readonly send: (
    method: string,
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<ServedAnswer>;
}

interface ServedAnswer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they got
  readonly body: any;
}

/** Serves a store, in memory unless a storage is given, until `use` ends. */
export async function withServedStore(
  use: (served: ServedStore) => Promise<void>,
  options: Omit<BuildServerOptions, "store" | "views"> & { readonly storage?: Storage } = {},
): Promise<void> {
  const { storage = openMemoryStorage(), ...given } = options;
  const store = await openStoreOn(storage);
  const views = await openViews(store);
  const app = await buildServer({ ...given, store, views });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const send: ServedStore["send"] = async (method, path, body, headers = {}) => {
    const isRaw =
      typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
    const response = await fetch(url + path, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
      ...(body instanceof ReadableStream && { duplex: "half" }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    const isLines = response.headers.get("content-type") === "application/x-ndjson";
    return {
      status: response.status,
      headers: response.headers,
      body: isLines
        ? text
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => JSON.parse(line) as unknown)
        : isJson && text !== ""
          ? JSON.parse(text)
          : text,
    };
  };
  try {
    await use({ url, port, store, send });
  } finally {
    await app.close();
    await views.close();
    await store.close();
  }
}
