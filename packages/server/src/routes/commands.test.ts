/** Commands over HTTP: what they make, under which conditions, and what each refuses. */
import { updated } from "@sennit/core";
import { expect, test } from "vitest";

import { withServedStore } from "../testing/serve-store.ts";

const patch = { "content-type": "application/merge-patch+json" };

test("a record is created, found where the answer says, and has the id asked for or one of its own", async () => {
  await withServedStore(async ({ send, url }) => {
    const sent = {
      id: "cfg 1/ä",
      kind: "config",
      name: "run 7",
      tags: { energy: 8.3 },
      actor: "Anna",
    };
    const made = await send("POST", "/v1/records", sent);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      status: "stored",
      position: 1,
      record: { id: "cfg 1/ä", name: "run 7", tags: { energy: 8.3 }, actor: "Anna" },
    });
    const found = await fetch(url + (made.headers.get("location") ?? ""));
    expect(await found.json()).toEqual(made.body.record);
    const other = await send("POST", "/v1/records", { kind: "config", name: "run 8" });
    expect(other.body.recordId).toMatch(/^config-[a-z0-9]{10}$/);
    const again = await send("POST", "/v1/records", sent);
    expect(again).toMatchObject({ status: 409, body: { code: "record-already-exists" } });
  });
});

test("a creation under a key is one record, also without an id", async () => {
  await withServedStore(async ({ send, store }) => {
    const key = { "idempotency-key": "k" };
    const first = await send("POST", "/v1/records", { kind: "config", name: "run" }, key);
    const again = await send("POST", "/v1/records", { kind: "config", name: "run" }, key);
    expect(again.status).toBe(200);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body).toEqual({ ...first.body, status: "duplicate" });
    expect(store.head).toBe(1);
    await store.append([updated(first.body.recordId, { name: "later" })]);
    const late = await send("POST", "/v1/records", { kind: "config", name: "run" }, key);
    const { record: _, ...told } = first.body;
    expect(late.body).toMatchObject({ ...told, status: "duplicate" });
    expect(late.body.record).toMatchObject({ name: "later", version: 2 });
    expect([late.headers.get("etag"), late.headers.get("sennit-position")]).toEqual(['"2"', "2"]);
  });
});

test.each([
  ["POST", "/v1/records", { kind: "k" }, "event-invalid", "/name"],
  ["POST", "/v1/records", { id: "", kind: "k", name: "n" }, "event-invalid", "/id"],
  ["POST", "/v1/records", { id: null, kind: "k", name: "n" }, "event-invalid", "/id"],
  ["POST", "/v1/records", { kind: "k", name: "n", eventId: 1 }, "event-invalid", "/eventId"],
  ["POST", "/v1/records", { kind: "k", name: "n", nmae: 1 }, "event-invalid", "/nmae"],
  ["POST", "/v1/records", [], "body-invalid", ""],
  ["PATCH", "/v1/records/a", { tags: 1 }, "event-invalid", "/tags"],
  ["PATCH", "/v1/records/a", { x: 1 }, "event-invalid", "/x"],
  ["PATCH", "/v1/records/a@1", {}, "request-invalid", "/ref"],
  ["POST", "/v1/records/a/invalidate", {}, "request-invalid", "/cause"],
  ["POST", "/v1/records/a/invalidate", { cause: 7 }, "request-invalid", "/cause"],
  [
    "POST",
    "/v1/records/a/invalidate",
    { cause: "c", cascade: "no" },
    "request-invalid",
    "/cascade",
  ],
  ["POST", "/v1/records/a/invalidate", { cause: "c", since: true }, "request-invalid", "/since"],
  ["POST", "/v1/records/a/restore", {}, "request-invalid", "/version"],
  ["POST", "/v1/records/a@1/restore", { version: 2 }, "request-invalid", "/version"],
  ["PUT", "/v1/labels/l", { position: -1 }, "request-invalid", "/position"],
])("%s %s %j: %s at %j, and nothing is stored", async (method, path, body, code, pointer) => {
  await withServedStore(async ({ send, store }) => {
    await send("POST", "/v1/records", { id: "a", kind: "k", name: "n" });
    const refused = await send(method, path, body);
    expect(refused).toMatchObject({ status: 400, body: { code } });
    expect(refused.body.errors[0].pointer).toBe(pointer);
    expect(store.head).toBe(1);
  });
});

test("a merge patch makes the next version, when the record is at the version it is based on", async () => {
  await withServedStore(async ({ send, url }) => {
    await send("POST", "/v1/records", { id: "a", kind: "k", name: "n", tags: { x: 1, y: 2 } });
    const etag = (await fetch(`${url}/v1/records/a`)).headers.get("etag") ?? "";
    expect(etag).toMatch(/^"1\./);
    const path = "/v1/records/k%2Fn?reason=renamed";
    const next = await send(
      "PATCH",
      path,
      { name: "m", tags: { x: null } },
      { ...patch, "if-match": etag },
    );
    expect(next).toMatchObject({
      status: 200,
      body: { version: 2, record: { name: "m", tags: { y: 2 } } },
    });
    expect(next.headers.get("etag")).toBe('"2"');
    for (const stale of [etag, '"1"', 'W/"2"', '"7"', '"1", "3"', '"abc"']) {
      const refused = await send("PATCH", "/v1/records/a", {}, { ...patch, "if-match": stale });
      expect(refused, stale).toMatchObject({ status: 412, body: { code: "precondition-failed" } });
    }
    let version = 2;
    for (const fresh of ['"2"', "*", '"1", "4.digest"']) {
      const done = await send(
        "PATCH",
        "/v1/records/a",
        { name: fresh },
        { ...patch, "if-match": fresh },
      );
      expect(done, fresh).toMatchObject({ status: 200, body: { version: (version += 1) } });
    }
    const wrong = await send("PATCH", "/v1/records/a", {}, { ...patch, "if-match": "2" });
    expect(wrong).toMatchObject({ status: 400, body: { code: "request-invalid" } });
    expect((await send("PATCH", "/v1/records/b", {}, patch)).status).toBe(404);
    const type = { "content-type": "application/json-patch+json" };
    expect((await send("PATCH", "/v1/records/a", [], type)).status).toBe(415);
  });
});

test("an invalidation withdraws what its dry run said", async () => {
  await withServedStore(async ({ send, store }) => {
    await send("POST", "/v1/records", { id: "a", kind: "k", name: "n" });
    await send("POST", "/v1/records", {
      id: "b",
      kind: "k",
      name: "n",
      derivedFrom: [{ recordId: "a" }],
    });
    const dry = await send("POST", "/v1/records/a@1/invalidate", { dryRun: true });
    expect(dry.body).toEqual(JSON.parse(JSON.stringify(await store.impact("a@1", {}))));
    expect(store.head).toBe(2);
    const done = await send("POST", "/v1/records/a/invalidate", { version: 1, cause: "wrong" });
    expect(done.body).toMatchObject({
      position: 3,
      version: 2,
      consequences: [{ recordId: "b", type: "record.invalidated" }],
      record: { id: "a", status: "invalid", invalidation: { cause: "wrong" } },
    });
    const back = await send("POST", "/v1/records/a@1/restore", { reason: "it was right" });
    expect(back.body).toMatchObject({ version: 3, record: { status: "valid", version: 3 } });
    const missing = await send("POST", "/v1/records/a/restore", { version: 9 });
    expect(missing).toMatchObject({ status: 404, body: { code: "version-not-found" } });
  });
});

test("a label names the head or a position, and can be moved", async () => {
  await withServedStore(async ({ send, url }) => {
    await send("POST", "/v1/records", { id: "a", kind: "k", name: "n" });
    const made = await send("PUT", "/v1/labels/first", {});
    expect(made).toMatchObject({ status: 201, body: { label: "first", position: 1, storedAt: 2 } });
    const moved = await send("PUT", "/v1/labels/first", { position: 2 });
    expect(moved).toMatchObject({ status: 200, body: { position: 2, version: 2, storedAt: 3 } });
    expect(await (await fetch(`${url}/v1/labels/first`)).json()).toMatchObject({ position: 2 });
    expect(await send("PUT", "/v1/labels/7", {})).toMatchObject({
      status: 400,
      body: { code: "label-invalid" },
    });
    expect(await send("PUT", "/v1/labels/x", { position: 99 })).toMatchObject({
      status: 400,
      body: { code: "as-of-ahead-of-head" },
    });
  });
});
