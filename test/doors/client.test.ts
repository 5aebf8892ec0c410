/** What a client does beside asking: it writes, follows and administers a store as one in this process, whatever breaks. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { connect, type SennitClient } from "@sennit/client";
import {
  created,
  invalidated,
  isStoreError,
  openStore,
  updated,
  type EmbeddedStore,
  type NewEvent,
  type RecordedEvent,
  type Store,
} from "@sennit/core";
import { FakeClock, withTemporaryDirectory } from "@sennit/core/testing";
import { openViews, type Views } from "@sennit/projections";
import { buildServer, startServer } from "@sennit/server";
import { expect, test } from "vitest";

import { allRoutes } from "../../packages/server/src/routes/index.ts";
import { testCertificate, testKey } from "../../packages/server/src/testing/test-certificate.ts";
import { checkingFetch } from "../support/checking-fetch.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { questions } from "./questions.ts";
import { makeRichStore } from "./rich-store.ts";

const retry = { pauseMs: 5 };

/** Over all tests of this file. */
const operationIds = new Set<string>();

interface Place {
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly client: SennitClient;
  readonly url: string;
}

/** Serves a store that the test has in this process, too. */
async function withClient(use: (place: Place) => Promise<void>): Promise<void> {
  const checked = checkingFetch();
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "store");
    const clock = new FakeClock("2026-03-02T10:00:00Z", 1);
    await makeRichStore(path, clock);
    const store = await openStore(path, { clock });
    const views = await openViews(store);
    const app = await buildServer({ store, views });
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const client = await connect(url, { fetch: checked.fetch, retry });
    try {
      await use({ store, views, client, url });
    } finally {
      await client.close();
      await app.close();
      await views.close();
      await store.close();
    }
  });
  for (const operationId of checked.findings.operationIds) operationIds.add(operationId);
  expect(checked.findings.problems).toEqual([]);
}

async function collected<T>(items: AsyncIterable<T>, count = Infinity): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
    if (all.length >= count) break;
  }
  return all;
}

/** The error as JSON. */
async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    if (isStoreError(error)) return JSON.parse(JSON.stringify(error));
    throw error;
  }
  throw new Error("It was not refused.");
}

test("what a store refuses is refused with the same words", async () => {
  await withClient(async ({ store, client }) => {
    const { head } = store;
    const wrong: readonly (readonly [NewEvent[], Parameters<Store["append"]>[1]?])[] = [
      [[]],
      [[created("m", { kind: "model", name: "again" })]],
      [[created("", { kind: "", name: "x" })]],
      [
        [
          created("ok", { kind: "k", name: "n" }),
          updated("ok", { uris: ["not a uri", 5 as never] }),
        ],
      ],
      [[created("ok", { kind: "k", name: "n", unknown: 1 } as never)], { expectedHead: head }],
      [
        [created("ok", { kind: "k", name: "n" }), created("", { kind: "k", name: "n" })],
        { expectedHead: head },
      ],
      [[created("ok", { kind: "k", name: "n", derivedFrom: [{ recordId: "no such" }] })]],
      [[updated("m", { name: "x" }, { expectedVersion: 99 })]],
      [[updated("no such", { name: "x" })]],
      [[created("ok", { kind: "k", name: "n" })], { expectedHead: 3 }],
      [
        [created("ok", { kind: "k", name: "n" })],
        { unchangedSince: { position: 1, records: [{ recordId: "ds" }] } },
      ],
      [[created("ok", { kind: "k", name: "n" })], { idempotencyKey: "" }],
      [[created("ok", { kind: "k", name: "x".repeat(2 ** 21) })]],
    ];
    for (const [events, options] of wrong) {
      const expected = await refusalOf(store.append(events, options));
      expect(await refusalOf(client.append(events, options))).toEqual(expected);
    }
    expect(await refusalOf(client.label("no label"))).toEqual(
      await refusalOf(store.label("no label")),
    );
    expect(await refusalOf(client.history("ds@1"))).toEqual(await refusalOf(store.history("ds@1")));
    expect(await refusalOf(store.history("ds@1"))).toMatchObject({ code: "ref-invalid" });
    expect(await refusalOf(client.at({ label: "12" }))).toMatchObject({ code: "label-invalid" });
    expect(await refusalOf(client.at({} as never))).toEqual(await refusalOf(store.at({} as never)));
    expect(await refusalOf(client.at({ position: 9999 }))).toEqual(
      await refusalOf(store.at({ position: 9999 })),
    );
    expect(store.head).toBe(head);
  });
});

test("what is no JSON is refused before it is sent", async () => {
  await withClient(async ({ store, client }) => {
    const { head } = store;
    for (const attributes of [Number.NaN, 5n, new Date(), [undefined], new Map()] as never[]) {
      const refused = client.append([created("x", { kind: "k", name: "n", attributes })]);
      expect(await refusalOf(refused)).toMatchObject({ code: "event-invalid" });
    }
    expect(store.head).toBe(head);
  });
});

test("appends answer as the store does, and are read at once", async () => {
  await withClient(async ({ store, client }) => {
    const batch = [
      created("new", { kind: "k", name: "n", derivedFrom: [{ recordId: "twin-1" }] }),
      invalidated("twin-1", { cause: "c" }),
    ];
    const result = await client.append(batch, {
      idempotencyKey: 'a "k\\',
      expectedHead: store.head,
    });
    expect(result.events.map(({ status, recordId }) => [status, recordId])).toEqual([
      ["stored", "new"],
      ["stored", "twin-1"],
    ]);
    expect(result.events[1]?.consequences).toMatchObject([{ recordId: "new" }]);
    expect([client.head, result.head]).toEqual([store.head, store.head]);
    const again = await client.append(batch, { idempotencyKey: 'a "k\\', expectedHead: 1 });
    expect(again).toEqual(await store.append(batch, { idempotencyKey: 'a "k\\' }));
    expect((await client.record("new")).status).toBe("invalid");
    const label = await client.label("new-label", 3, { actor: "me" });
    expect(await collected(store.events({ from: label.position }))).toMatchObject([
      { id: label.eventId, recordedAt: label.recordedAt, version: label.version, actor: "me" },
    ]);
    expect((await client.at({ label: "new-label" })).asOf).toBe(3);
  });
});

test("proofs, receipts, exports and verifications are those of the store", async () => {
  await withClient(async ({ store, client }) => {
    expect([client.storeId, await client.verifierKey()]).toEqual([
      store.storeId,
      await store.verifierKey(),
    ]);
    expect(await client.checkpoint(9)).toBe(await store.checkpoint(9));
    const bytes = (hashes: readonly Uint8Array[]) => hashes.map((hash) => [...hash]);
    expect(bytes(await client.inclusionProof(5))).toEqual(bytes(await store.inclusionProof(5)));
    expect(bytes(await client.consistencyProof(5, 20))).toEqual(
      bytes(await store.consistencyProof(5, 20)),
    );
    const options = { size: 30, against: { size: 4 } };
    expect(await client.receipt("..", options)).toEqual(await store.receipt("..", options));
    for (const format of ["ndjson", "msgpack"] as const) {
      const told = await exported(client, format);
      expect(told).toEqual(await exported(store, format));
      expect(told.summary).toMatchObject({ head: store.head });
    }
    const positions: number[] = [];
    const report = await client.verify({ onProgress: ({ position }) => positions.push(position) });
    const timeless = { seconds: 0, eventsPerSecond: 0 };
    expect({ ...report, ...timeless }).toEqual({ ...(await store.verify()), ...timeless });
    const erasure = await client.erase(["cal"], { cause: "asked for", dryRun: true });
    expect(erasure).toEqual(await store.erase(["cal"], { cause: "asked for", dryRun: true }));
    expect(await client.erase(["cal"], { cause: "asked for" })).toMatchObject({
      position: store.head,
    });
  });
});

async function exported(store: Pick<Store, "export">, format: "ndjson" | "msgpack") {
  const parts: Uint8Array[] = [];
  const bytes = store.export({ format, checkpoint: false });
  for (;;) {
    const { done, value } = await bytes.next();
    if (done === true) return { text: Buffer.concat(parts).toString("hex"), summary: value };
    parts.push(value);
  }
}

test("projections are looked after", async () => {
  await withClient(async ({ client, store }) => {
    const [first] = await client.projections();
    const name = first?.name ?? "";
    expect(await client.pauseProjection(name)).toMatchObject({ name, state: "paused" });
    expect(await client.resumeProjection(name)).toMatchObject({ name });
    const told: unknown[] = [];
    const onProgress = (status: unknown) => told.push(status);
    expect(await client.rebuildProjection(name, { onProgress })).toMatchObject({ name, lag: 0 });
    expect(told[0]).toMatchObject({ name, head: store.head });
    expect(await refusalOf(client.rebuildProjection("nothing"))).toMatchObject({
      code: "argument-invalid",
    });
  });
});

const lines = [
  '{"type":"record.created","recordId":"l-1","data":{"kind":"k","name":"one"}}',
  "",
  "not json",
  '{"type":"record.created","recordId":"l-2","data":{"kind":"k"}}',
  '{"type":"record.created","recordId":"l-1","data":{"kind":"k","name":"again"}}',
  '{"id":"00000000-0000-4000-8000-000000000001","type":"record.created","recordId":"l-3","data":{"kind":"k","name":"\\ud83e\\uddea"}}',
  "\ufeff{}",
].join("\r\n");

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function ingested(client: SennitClient, batchEvents: number, size: number) {
  const told: unknown[] = [];
  const run = client.ingest(pieces(lines, size), { batchEvents });
  for (;;) {
    const { done, value } = await run.next();
    if (done === true) return { told, summary: value };
    for (const { line, status, ...rest } of value)
      told.push([line, status, "code" in rest ? rest.code : ""]);
  }
}

test.each([
  [1, 1],
  [2, 7],
  [1000, 1000],
])(
  "lines are stored in batches of %i, from pieces of %i bytes, with a result for each",
  async (batch, size) => {
    await withClient(async ({ client, store }) => {
      const { told, summary } = await ingested(client, batch, size);
      expect(told).toEqual([
        [1, "stored", ""],
        [3, "refused", "event-invalid"],
        [4, "refused", "event-invalid"],
        [5, "refused", "record-already-exists"],
        [6, "stored", ""],
        [7, "refused", "event-invalid"],
      ]);
      expect(summary).toMatchObject({ stored: 2, duplicates: 0, refused: 4, head: store.head });
      expect(summary.errors.map(({ line }) => line)).toEqual([3, 4, 5, 7]);
    });
  },
);

test("lines may be stored all or not at all", async () => {
  await withClient(async ({ client, store }) => {
    const { head } = store;
    const refused = client.ingest(pieces(lines, 100), { atomic: true });
    let end = await refused.next();
    while (end.done !== true) end = await refused.next();
    expect([end.value.stored, store.head]).toEqual([0, head]);
  });
});

test("nothing is stored twice when answers are lost on the way, and what was stored is told as stored", async () => {
  await withClient(async ({ store, url }) => {
    const proxy = await cuttingProxy(url);
    const client = await connect(proxy.url, { retry });
    const { head } = store;
    proxy.cutAnswers = 2;
    const result = await client.append([created("once", { kind: "k", name: "n" })]);
    expect(result.events).toMatchObject([{ status: "stored", position: head + 1, version: 1 }]);
    proxy.cutAnswers = 1;
    const { summary } = await ingested(client, 1000, 1000);
    // One line has an id of its own, which may have been there before.
    expect(summary).toMatchObject({ stored: 1, duplicates: 1 });
    expect(store.head).toBe(head + 3);
    proxy.cutAnswers = 1;
    expect((await client.record("once")).version).toBe(1);
    await client.close();
    await proxy.close();
  });
});

test("a follower gets every event once, across broken connections and a server that starts anew", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "store");
    await makeRichStore(path, new FakeClock("2026-03-02T10:00:00Z"));
    let server = await startServer({ directory: path, port: 0 });
    const proxy = await cuttingProxy(server.url);
    const client = await connect(proxy.url, { retry });
    const seen: RecordedEvent[] = [];
    const total = server.store.head + 40;
    const following = (async () => {
      for await (const event of client.follow({ from: 3 })) {
        seen.push(event);
        if (event.position === total) return;
      }
    })();
    for (let round = 0; round < 40; round += 1) {
      await client.append([created(`f-${round}`, { kind: "k", name: "n" })]);
      if (round % 7 === 3) proxy.cutAll();
      if (round !== 20) continue;
      await server.close();
      server = await startServer({ directory: path, port: 0 });
      proxy.moveTo(server.url);
    }
    await following;
    expect(seen.map(({ position }) => position)).toEqual(
      Array.from({ length: total - 2 }, (_, index) => index + 3),
    );
    const reader = await client.at();
    expect(seen).toEqual(await collected(reader.events({ from: 3 })));
    await client.close();
    await proxy.close();
    await server.close();
  });
});

test("live answers are those of views in this process", async () => {
  await withClient(async ({ client, store, views }) => {
    const query = { kind: "odd", words: ["called"] };
    const start = store.head;
    const [here, there] = [
      await views.at({ position: start }),
      await client.at({ position: start }),
    ];
    const records = [here, there].map((reader) =>
      reader.followRecords(query)[Symbol.asyncIterator](),
    );
    const lineages = [here, there].map((reader) =>
      reader.followLineage("m", { direction: "descendants" })[Symbol.asyncIterator](),
    );
    const next = async (live: readonly AsyncIterator<unknown>[]) => {
      const [expected, actual] = await Promise.all(live.map((each) => each.next()));
      expect(actual).toEqual(expected);
    };
    await next(records);
    await next(lineages);
    const derivedFrom = [{ recordId: "m" }];
    await client.append([created("odd 1", { kind: "odd", name: "called so", derivedFrom })]);
    await next(records);
    await next(lineages);
    await client.append([updated("odd 1", { name: "not so" })]);
    await next(records);
    await next(lineages);
    for (const each of [...records, ...lineages]) await each.return?.();
  });
});

test("iterations end with the client, and a closed one answers nothing", async () => {
  await withClient(async ({ client }) => {
    const following = collected(client.follow());
    const reader = await client.at();
    await client.close();
    await following;
    for (const asked of [client.record("m"), reader.summary(), client.append([])]) {
      expect(await refusalOf(asked)).toMatchObject({ code: "store-closed" });
    }
  });
});

/** Operations that the client leaves to others, and why. */
const unused: Readonly<Record<string, string>> = {
  createRecord: "append says all that it says",
  updateRecord: "append says all that it says",
  invalidateRecord: "append says all that it says",
  restoreRecord: "append says all that it says",
  getLabel: "the instant of a label is its position",
  listLabels: "the summary has them",
  listSubscriptions: "who follows a store through a client keeps its place itself",
  createSubscription: "as above",
  getSubscription: "as above",
  readSubscription: "as above",
  acknowledgeSubscription: "as above",
  deleteSubscription: "as above",
};

test("every operation of the server is used, or left out on purpose", async () => {
  await withClient(async ({ client }) => {
    for (const { ask } of questions) await ask(client).catch(() => undefined);
    await collected(client.follow(), 1);
    await collected(client.followLineage("m"), 1);
  });
  const declared = allRoutes.filter(({ url }) => url.startsWith("/v1/"));
  const left = declared.map((route) => route.operationId).filter((id) => !operationIds.has(id));
  expect(left.toSorted()).toEqual(Object.keys(unused).toSorted());
});

test("who names a server wrongly is told how it is named", async () => {
  const hintOf = async (url: string) => {
    const refusal = connect(url, { retry: { attempts: 1 } }).then(
      String,
      (error: unknown) => error,
    );
    const error = await refusal;
    return isStoreError(error) ? [error.code, error.hint] : [error];
  };
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(join(directory, "store"))).close();
    const [tlsCert, tlsKey] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(tlsCert, testCertificate);
    await writeFile(tlsKey, testKey);
    const options = { directory: join(directory, "store"), port: 0 };
    const plain = await startServer(options);
    expect(await hintOf(`${plain.url}/v1`)).toMatchObject([
      "route-not-found",
      expect.stringContaining("without a path"),
    ]);
    expect(await hintOf(plain.url.replace("http:", "https:"))).toMatchObject([
      "server-unreachable",
      expect.stringContaining("http://"),
    ]);
    await plain.close();
    const encrypted = await startServer({ ...options, tlsCert, tlsKey });
    expect(await hintOf(encrypted.url)).toMatchObject([
      "server-unreachable",
      expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    ]);
    expect(await hintOf(encrypted.url.replace("https:", "http:"))).toMatchObject([
      "server-unreachable",
      expect.stringContaining("https://"),
    ]);
    await encrypted.close();
  });
});
