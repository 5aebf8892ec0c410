/** What those who run a server see of it: health, readiness, figures, logs. */
import { created, openMemoryStore, openStoreOn } from "@sennit/core";
import { codeOf, eventually, FaultStorage } from "@sennit/core/testing";
import { defineProjection, openViews } from "@sennit/projections";
import { expect, test } from "vitest";

import { buildServer } from "../app.ts";
import { completeSettings } from "../config/resolve-settings.ts";
import { EventSourceReader } from "../testing/event-source.ts";
import { withServer, type Serving } from "../testing/serving.ts";
import { Readiness } from "./readiness.ts";
import { textLine } from "./text-line.ts";

const note = (id: string) => created(id, { kind: "note", name: id });

test("a server that works is healthy and ready", async () => {
  await withServer({}, async ({ url }) => {
    const health = await fetch(`${url}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
  });
});

test("who asks for health learns nothing of how long the log is", async () => {
  await withServer({ minPositionSeconds: 0 }, async ({ url, store }) => {
    await store.append([note("a")]);
    for (const path of ["healthz", "readyz"]) {
      const headers = { "sennit-min-position": "999" };
      const answer = await fetch(`${url}/${path}`, { headers });
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.has("sennit-position")).toBe(false);
      expect(Object.keys((await answer.json()) as object)).not.toContain("head");
    }
  });
});

test("a store that cannot be written is not ready, answers all the same, and is ready again by itself", async () => {
  const storage = new FaultStorage();
  const store = await openStoreOn(storage);
  const views = await openViews(store);
  const app = await buildServer({ store, views });
  await store.append([note("a")]);
  storage.fill();
  expect(await codeOf(() => store.append([note("b")]))).toBe("outcome-unknown");
  const before = await app.inject("/readyz");
  expect([before.statusCode, before.json()]).toEqual([
    503,
    { ready: false, reasons: ["disk-full"] },
  ]);
  expect((await app.inject("/v1/records/a")).statusCode).toBe(200);
  expect((await app.inject("/healthz")).statusCode).toBe(200);
  storage.free();
  expect((await app.inject("/readyz")).json()).toEqual({ ready: true, reasons: [] });
  await app.close();
  await views.close();
  await store.close();
});

test("a store that is damaged is not ready, and reads of what is intact go on", async () => {
  const storage = new FaultStorage();
  const store = await openStoreOn(storage);
  const views = await openViews(store);
  const app = await buildServer({ store, views });
  await store.append([note("a")]);
  storage.failWrite(1, "lost", "log-gap");
  await codeOf(() => store.append([note("b")]));
  for (let look = 0; look < 2; look += 1) {
    const answer = await app.inject("/readyz");
    expect([answer.statusCode, answer.json()]).toEqual([
      503,
      { ready: false, reasons: ["log-gap"] },
    ]);
  }
  expect((await app.inject("/v1/records/a")).statusCode).toBe(200);
  await app.close();
  await views.close();
  await store.close();
});

test("a read model that has stopped is a reason until it goes on", async () => {
  const store = await openMemoryStore();
  let isBroken = true;
  const breaking = defineProjection({
    name: "breaking",
    tables: ["rows"],
    version: 1,
    apply() {
      if (isBroken) throw new Error("not yet");
    },
  });
  const views = await openViews(store, { projections: [breaking] });
  const app = await buildServer({ store, views });
  await store.append([note("a")]);
  await eventually(async () =>
    expect((await app.inject("/readyz")).json()).toEqual({
      ready: false,
      reasons: ["projection-failed"],
    }),
  );
  isBroken = false;
  views.resume("breaking");
  await eventually(async () => expect((await app.inject("/readyz")).statusCode).toBe(200));
  await app.close();
  await views.close();
  await store.close();
});

test("a read model that is behind is a reason, unless it is paused", async () => {
  await withServer({}, async ({ store, views }) => {
    const readiness = new Readiness({
      store,
      views,
      settings: completeSettings({ readyLagMax: 0 }),
    });
    views.pause("records");
    await store.append([note("a")]);
    await eventually(async () => expect((await readiness.report()).reasons).toEqual([]));
    views.resume("records");
    expect(await readiness.report()).toEqual({ ready: false, reasons: ["views-catching-up"] });
    await eventually(async () => expect((await readiness.report()).ready).toBe(true));
    readiness.close();
    expect(await readiness.report()).toEqual({ ready: false, reasons: ["shutting-down"] });
  });
});

/** The value of a figure, with its labels as they are written. */
async function figure({ url }: Serving, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

test("figures count what happens", async () => {
  await withServer({}, async (serving) => {
    const { url, store } = serving;
    const before = await figure(serving, "sennit_append_seconds_count");
    expect(before).toBe(0);
    await Promise.all([store.append([note("a"), note("b")]), store.append([note("c")])]);
    expect(await figure(serving, "sennit_append_seconds_count")).toBe(2);
    expect(await figure(serving, "sennit_group_events_sum")).toBe(3);
    expect(await figure(serving, "sennit_group_batches_sum")).toBe(2);
    expect(await figure(serving, "sennit_write_seconds_sum")).toBeGreaterThan(0);
    expect(await figure(serving, "sennit_events_appended_total")).toBe(3);
    expect(await figure(serving, "sennit_head")).toBe(3);
    await fetch(`${url}/v1/records/a?x=secret`);
    await fetch(`${url}/nowhere/secret`);
    const of = (route: string, status: number) =>
      figure(
        serving,
        `sennit_http_request_seconds_count{method="GET",route="${route}",status="${status}"}`,
      );
    await eventually(async () => expect(await of("unmatched", 404)).toBe(1));
    const stream = await EventSourceReader.open(`${url}/v1/events/stream`);
    await stream.take(3);
    expect(await figure(serving, "sennit_streams")).toBe(1);
    stream.close();
    await eventually(async () => expect(await figure(serving, "sennit_streams")).toBe(0));
    await eventually(async () => {
      expect(await figure(serving, 'sennit_projection_lag_events{projection="records"}')).toBe(0);
    });
    expect(await figure(serving, "sennit_ready")).toBe(1);
    // Nobody has been late since it was last asked, or somebody was.
    const delay = 'sennit_event_loop_delay_seconds{quantile="0.99"}';
    expect(await figure(serving, delay)).toBeGreaterThanOrEqual(0);
  });
});

test("a line says which request was answered, and nothing that was sent in it", async () => {
  await withServer({}, async ({ url, logged }) => {
    const trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = {
      "x-request-id": "flow-7.1",
      traceparent: `00-${trace_id}-00f067aa0ba902b7-01`,
      authorization: "Bearer top-secret",
      cookie: "session=top-secret",
    };
    const query = "where=top-secret";
    const answer = await fetch(`${url}/v1/records/top-secret?${query}`, { headers });
    expect(answer.headers.get("x-request-id")).toBe("flow-7.1");
    await fetch(`${url}/v1/events`, { method: "POST", headers, body: "top-secret" });
    await eventually(() => {
      expect(logged.filter(({ msg }) => msg === "request")).toHaveLength(2);
    });
    const [line] = logged.filter(({ msg }) => msg === "request");
    expect(line).toMatchObject({
      level: "info",
      requestId: "flow-7.1",
      trace_id,
      span_id: "00f067aa0ba902b7",
      method: "GET",
      route: "/v1/records/:ref",
    });
    expect(JSON.stringify(logged)).not.toContain("top-secret");
  });
});

test.each([["a b"], ["x".repeat(129)], ['"}'], [""]])(
  "the request id %j is not taken over",
  async (given) => {
    await withServer({}, async ({ url }) => {
      const { headers } = await fetch(`${url}/healthz`, { headers: { "x-request-id": given } });
      expect(headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
    });
  },
);

test("a line as text is one line, whatever it says", () => {
  const line = JSON.stringify({ time: "T", level: "info", msg: "a\nb", id: 'x\r\n"INFO' });
  expect(textLine(line)).toBe('T INFO a\\nb id="x\\r\\n\\"INFO"\n');
});

test("nothing is logged for requests where that is turned off", async () => {
  await withServer({ noRequestLog: true }, async ({ url, logged, app }) => {
    await fetch(`${url}/healthz`);
    app.log.info("still there");
    expect(logged.map(({ msg }) => msg)).toContain("still there");
    expect(logged.map(({ msg }) => msg)).not.toContain("request");
  });
});
