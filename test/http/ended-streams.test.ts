/** What the client makes of a stream that the server ends: what it fails with, and whether it is taken up again. */
import { connect, type ConnectOptions } from "@sennit/client";
import { created, isStoreError, openStore, systemClock, type RecordedEvent } from "@sennit/core";
import { eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { startServer } from "@sennit/server";
import { createKey, revokeKey } from "@sennit/server/keys";
import { expect, test } from "vitest";

const clock = systemClock;

interface Guarded {
  readonly url: string;
  readonly makeKey: () => Promise<{
    readonly key: string;
    readonly revoke: () => Promise<unknown>;
  }>;
  /** Ends the server, and starts another at the same address. */
  readonly restart: () => Promise<void>;
}

async function withGuarded(use: (guarded: Guarded) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([created("a", { kind: "k", name: "a" })]);
    await store.close();
    let server = await startServer({ directory, port: 0, auth: "on" });
    const { url } = server;
    const makeKey: Guarded["makeKey"] = async () => {
      const given = { name: "maria", scopes: ["read", "append"], clock } as const;
      const { key, about } = await createKey(directory, given);
      const headers = { authorization: `Bearer ${key}` };
      await eventually(async () => {
        expect((await fetch(`${url}/v1/store`, { headers })).status).toBe(200);
      });
      return { key, revoke: () => revokeKey(directory, about.id, clock) };
    };
    const restart = async () => {
      await server.close();
      server = await startServer({ directory, port: Number(new URL(url).port), auth: "on" });
    };
    try {
      await use({ url, makeKey, restart });
    } finally {
      await server.close();
    }
  });
}

/** Follows the log, and has something done when the first event has come. Gives what came and what it failed with. */
async function followed(
  url: string,
  token: ConnectOptions["token"],
  atFirst: () => Promise<unknown>,
  until = Infinity,
): Promise<{ readonly events: readonly RecordedEvent[]; readonly failure: unknown }> {
  const events: RecordedEvent[] = [];
  const client = await connect(url, { token, retry: { pauseMs: 10 } });
  try {
    for await (const event of client.follow()) {
      events.push(event);
      if (events.length === 1) await atFirst();
      if (events.length === until) break;
    }
    return { events, failure: undefined };
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return { events, failure: [error.code, error.details] };
  } finally {
    await client.close();
  }
}

test("who follows with a key that is revoked is told so, and does not come back", async () => {
  await withGuarded(async ({ url, makeKey }) => {
    const { key, revoke } = await makeKey();
    const { events, failure } = await followed(url, key, revoke);
    expect(events).toHaveLength(1);
    expect(failure).toEqual(["unauthenticated", { reason: "revoked" }]);
  });
});

test("who has another key by then goes on with it, without a gap", async () => {
  await withGuarded(async ({ url, makeKey }) => {
    const old = await makeKey();
    const next = await makeKey();
    let token = old.key;
    const replace = async () => {
      token = next.key;
      await old.revoke();
      const writer = await connect(url, { token });
      await writer.append([created("b", { kind: "k", name: "b" })]);
      await writer.close();
    };
    const { events } = await followed(url, () => token, replace, 2);
    expect(events.map(({ position }) => position)).toEqual([1, 2]);
  });
});

test("a server that shuts down is waited for", async () => {
  await withGuarded(async ({ url, makeKey, restart }) => {
    const { key } = await makeKey();
    const comeBack = async () => {
      await restart();
      const writer = await connect(url, { token: key });
      await writer.append([created("b", { kind: "k", name: "b" })]);
      await writer.close();
    };
    const { events } = await followed(url, key, comeBack, 2);
    expect(events.map(({ position }) => position)).toEqual([1, 2]);
  });
});
