/** What concerns the store as a whole, over HTTP: the answers are those of the store in this process. */
import { join } from "node:path";

import { importStore, openStore, type EmbeddedStore, type VerifyReport } from "@sennit/core";
import { eventually, filesHolding, withTemporaryDirectory } from "@sennit/core/testing";
import { openViews, type Views } from "@sennit/projections";
import type { FastifyInstance } from "fastify";
import { expect, test } from "vitest";

import { buildServer } from "../app.ts";

interface Place {
  readonly directory: string;
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly app: FastifyInstance;
  readonly url: string;
}

const secret = "the-name-of-a-patient";

async function withServer(use: (place: Place) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(join(directory, "store"));
    const views = await openViews(store);
    const app = await buildServer({ store, views });
    try {
      const url = await app.listen({ host: "127.0.0.1", port: 0 });
      await store.append([
        { type: "record.created", recordId: "a", data: { kind: "scan", name: secret } },
        { type: "record.created", recordId: "b", data: { kind: "scan", name: "b" } },
      ]);
      await use({ directory, store, views, app, url });
    } finally {
      await app.close();
      await views.close();
      await store.close();
    }
  });
}

function post(url: string, body?: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  });
}

test("erased content is gone from every file of log and views, and the answer is the store's", async () => {
  await withServer(async ({ directory, store, views, url }) => {
    await views.caughtUp();
    const body = { refs: [`scan/${secret}`], cause: "consent withdrawn", actor: "maria" };
    const dryRun = await post(`${url}/v1/erase`, { ...body, dryRun: true });
    const planned = (await dryRun.json()) as object;
    expect(planned).toEqual(await store.erase(["a"], { cause: "x", dryRun: true }));
    expect(store.head).toBe(2);
    const response = await post(`${url}/v1/erase`, body);
    const erasure = (await response.json()) as { recordId: string };
    expect(erasure).toEqual({
      ...planned,
      position: 3,
      recordId: expect.stringMatching(/^erasure:/) as string,
    });
    expect(response.headers.get("sennit-position")).toBe("3");
    expect((await store.record(erasure.recordId)).actor).toBe("maria");
    for (const part of ["log", "views"]) {
      expect(await filesHolding(join(directory, "store", part), secret)).toEqual([]);
    }
  });
});

test("what cannot be erased is refused as the store refuses it", async () => {
  await withServer(async ({ url, store }) => {
    for (const path of ["/v1/erase", "/v1/erase?progress=true"]) {
      const codes = await Promise.all(
        [
          { refs: ["nothing"], cause: "c" },
          { refs: ["a"], cause: " " },
          { refs: [], cause: "c" },
          { refs: ["a"], cause: "c", force: true },
          { refs: ["a"] },
        ].map(async (body) => {
          const response = await post(url + path, body);
          return [response.status, ((await response.json()) as { code: string }).code];
        }),
      );
      expect(codes).toEqual([
        [404, "record-not-found"],
        [400, "argument-invalid"],
        [400, "request-invalid"],
        [400, "request-invalid"],
        [400, "request-invalid"],
      ]);
    }
    expect(store.head).toBe(2);
  });
});

test("an erasure that takes long says at once and then again that it is at work, and at the end what it erased", async () => {
  await withServer(async ({ directory, store, views, url }) => {
    await views.caughtUp();
    // What erases waits for the read models, and these for whom they are paused.
    views.pause("records");
    const ask = { refs: ["a"], cause: "consent withdrawn", actor: "maria" };
    const response = await post(`${url}/v1/erase?progress=true`, ask);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    const told = lines.map((line) => JSON.parse(line) as Record<string, object>);
    expect(told[0]).toEqual({ progress: { in: "log" } });
    // The log has erased by then; the failure says what has not.
    expect(told.at(-1)).toMatchObject({ error: { code: "projection-paused" } });
    expect(store.head).toBe(3);
    views.resume("records");
    const again = await post(`${url}/v1/erase?progress=true`, ask);
    const report = JSON.parse((await again.text()).trimEnd().split("\n").at(-1) ?? "") as object;
    expect(report).toMatchObject({ report: { position: null, erased: [] } });
    for (const part of ["log", "views"]) {
      expect(await filesHolding(join(directory, "store", part), secret)).toEqual([]);
    }
  });
});

async function embeddedExport(store: EmbeddedStore, format: "ndjson" | "msgpack"): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of store.export({ format, checkpoint: false })) parts.push(part);
  return Buffer.concat(parts);
}

test.each(["ndjson", "msgpack"] as const)(
  "an export as %s has the bytes of one in this process",
  async (format) => {
    await withServer(async ({ store, url }) => {
      const response = await fetch(`${url}/v1/export?format=${format}&unsigned=true`);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(bytes.equals(await embeddedExport(store, format))).toBe(true);
      expect(bytes.length).toBeGreaterThan(100);
    });
  },
);

test("an export over HTTP makes the same store", async () => {
  await withServer(async ({ directory, store, url }) => {
    const { body } = await fetch(`${url}/v1/export`);
    const made = await importStore(body as AsyncIterable<Uint8Array>, join(directory, "copy"));
    expect([made.storeId, made.head]).toEqual([store.storeId, store.head]);
  });
});

test("a verification finds what it finds in this process", async () => {
  await withServer(async ({ store, url }) => {
    const report = (await (await post(`${url}/v1/verify`)).json()) as VerifyReport;
    const timeless = { ...report, seconds: 0, eventsPerSecond: 0 };
    expect(timeless).toEqual({ ...(await store.verify()), seconds: 0, eventsPerSecond: 0 });
    expect(report.ok).toBe(true);
  });
});

test("a verification in lines ends in its report", async () => {
  await withServer(async ({ store, url }) => {
    for (let batch = 0; batch < 4; batch += 1) {
      await store.append(
        Array.from({ length: 2000 }, (_, index) => ({
          type: "record.created" as const,
          recordId: `r-${batch}-${index}`,
          data: { kind: "k", name: "n" },
        })),
      );
    }
    const response = await post(`${url}/v1/verify?progress=true`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { progress?: object; report?: VerifyReport });
    expect(lines.at(-1)?.report?.ok).toBe(true);
    expect(lines.slice(0, -1).filter(({ progress }) => progress === undefined)).toEqual([]);
  });
});

test("a rebuild in lines begins before it ends, and ends in how far it is", async () => {
  await withServer(async ({ views, url }) => {
    await views.caughtUp();
    const before = views.progress("records");
    const response = await post(`${url}/v1/projections/records/rebuild?progress=true`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const [first, ...others] = (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { progress?: object; report?: object });
    expect(first).toMatchObject({ progress: { name: "records", head: before.head } });
    expect(others.at(-1)).toMatchObject({
      report: { name: "records", state: "live", stateHash: before.stateHash },
    });
    const unknown = await post(`${url}/v1/projections/nothing/rebuild?progress=true`);
    expect(unknown.status).toBe(400);
  });
});

test("a projection is made anew, paused and resumed, and one that is not there is refused", async () => {
  await withServer(async ({ views, url }) => {
    await views.caughtUp();
    const before = views.progress("records");
    const rebuilt = (await (await post(`${url}/v1/projections/records/rebuild`)).json()) as object;
    expect(rebuilt).toMatchObject({ name: "records", state: "live", stateHash: before.stateHash });
    const paused = await post(`${url}/v1/projections/records/pause`);
    expect(await paused.json()).toMatchObject({ state: "paused" });
    expect(views.progress("records").state).toBe("paused");
    await post(`${url}/v1/projections/records/resume`);
    await eventually(() => expect(views.progress("records").state).toBe("live"));
    const unknown = await post(`${url}/v1/projections/nothing/rebuild`);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      400,
      { code: "argument-invalid" },
    ]);
  });
});
