/** A server with a store on a disk and keys, for as long as a test needs it. */
import { openStore, systemClock } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";

import { createKey, type CreateKeyOptions } from "../keys/manage-keys.ts";
import { startServer, type StartServerOptions } from "../start.ts";

export interface Started {
  readonly directory: string;
  readonly url: string;
  readonly ask: (path: string, token?: string, init?: RequestInit) => Promise<Response>;
  readonly append: (events: unknown, token?: string) => Promise<Response>;
  readonly makeKey: (options: Partial<CreateKeyOptions>) => Promise<{ key: string; id: string }>;
}

export async function withStartedServer(
  options: Omit<StartServerOptions, "directory">,
  use: (served: Started) => Promise<void>,
  prepare: (directory: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    await prepare(directory);
    const server = await startServer({ directory, port: 0, ...options });
    const { url } = server;
    const ask: Started["ask"] = (path, token, init = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: {
          ...(init.headers as Record<string, string>),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      });
    const append: Started["append"] = (events, token) =>
      ask("/v1/events", token, {
        method: "POST",
        body: JSON.stringify(events),
        headers: { "content-type": "application/json" },
      });
    const makeKey: Started["makeKey"] = async (given) => {
      const { key, about } = await createKey(directory, {
        name: "maria",
        scopes: ["read", "append", "invalidate"],
        clock: systemClock,
        ...given,
      });
      return { key, id: about.id };
    };
    try {
      await use({ directory, url, ask, append, makeKey });
    } finally {
      await server.close();
    }
  });
}

export function made(recordId: string, kind = "dataset", more: object = {}): object {
  return { type: "record.created", recordId, data: { kind, name: recordId }, ...more };
}

export interface ProblemBody {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export async function problemOf(response: Response): Promise<ProblemBody> {
  return (await response.json()) as ProblemBody;
}
