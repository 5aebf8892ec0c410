/** CloudEvents over HTTP in their three modes, delivered again, and with attributes that are wrong. */
import { expect, test } from "vitest";

import { withServedStore, type ServedStore } from "../testing/serve-store.ts";
import { cloudEventId } from "./name-based-id.ts";

const structured = { "content-type": "application/cloudevents+json; charset=utf-8" };
const batched = { "content-type": "application/cloudevents-batch+json" };

function cloudEvent(subject: string, more: object = {}): Record<string, unknown> {
  return {
    specversion: "1.0",
    id: `delivery of ${subject}`,
    source: "/beamline/7",
    type: "record.created",
    subject,
    time: "2026-03-02T09:58:00Z",
    datacontenttype: "application/json",
    data: { kind: "dataset", name: subject },
    ...more,
  };
}

async function firstEvent({ store }: ServedStore): Promise<unknown> {
  for await (const event of store.follow()) return event;
  return undefined;
}

test("an id that is no UUID becomes the UUID of source and id, as RFC 9562 makes it of a name", () => {
  // From Python: uuid5(uuid5(NAMESPACE_URL, "https://cloudevents.io"), "/beamline/7\nscan 12").
  expect(cloudEventId("/beamline/7", "scan 12")).toBe("18beff6f-4427-5633-8fac-a24c9c8f60ee");
});

test("structured: each attribute is found where an event has it, and a second delivery changes nothing", async () => {
  await withServedStore(async (served) => {
    const causationid = "00000000-0000-4000-8000-000000000001";
    const sent = cloudEvent("ds-1", { causationid, traceparent: "00-ab-cd-01" });
    const first = await served.send("POST", "/v1/events", sent, structured);
    expect(first.body).toMatchObject({ head: 1, events: [{ status: "stored" }] });
    expect(await firstEvent(served)).toMatchObject({
      type: "record.created",
      id: cloudEventId("/beamline/7", "delivery of ds-1"),
      recordId: "ds-1",
      occurredAt: "2026-03-02T09:58:00Z",
      actor: "/beamline/7",
      causationId: causationid,
      data: { kind: "dataset", name: "ds-1" },
    });
    const again = await served.send("POST", "/v1/events", sent, structured);
    expect(again.body).toMatchObject({ head: 1, events: [{ status: "duplicate", position: 1 }] });
    const other = cloudEvent("ds-2", { id: sent["id"] });
    const reused = await served.send("POST", "/v1/events", other, structured);
    expect(reused).toMatchObject({ status: 409, body: { code: "event-id-reused" } });
  });
});

test("batched: all are stored or none, and a pointer names the attribute", async () => {
  await withServedStore(async ({ send, store }) => {
    const wrong = [cloudEvent("a"), cloudEvent("b", { time: "yesterday" })];
    const refused = await send("POST", "/v1/events", wrong, batched);
    expect(refused.body).toMatchObject({ code: "event-invalid", errors: [{ pointer: "/1/time" }] });
    expect(store.head).toBe(0);
    const stored = await send("POST", "/v1/events", [cloudEvent("a"), cloudEvent("b")], batched);
    expect(stored.body).toMatchObject({ head: 2, events: [{ recordId: "a" }, { recordId: "b" }] });
    const one = [cloudEvent("c", { data: { kind: "k" } })];
    const alone = await send("POST", "/v1/events", one, batched);
    expect(alone.body.errors).toMatchObject([{ pointer: "/0/data/name" }]);
    const single = await send("POST", "/v1/events", cloudEvent("c", { subject: "" }), structured);
    expect(single.body.errors).toMatchObject([{ pointer: "/subject" }]);
  });
});

test("binary: the attributes are headers, percent-encoded, and the body is the data", async () => {
  await withServedStore(async (served) => {
    const id = "0198C2F0-7C3A-7B1E-8F00-5D2A9C1B4E77";
    const headers = {
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/beamline/7",
      "ce-type": "record.created",
      "ce-subject": "probe%20%C3%A4",
      "ce-actor": "Anna",
      "ce-expectedversion": "0",
      "ce-cascade": "false",
    };
    const stored = await served.send("POST", "/v1/events", { kind: "probe", name: "ä" }, headers);
    expect(stored.status).toBe(200);
    expect(await firstEvent(served)).toMatchObject({
      id: id.toLowerCase(),
      recordId: "probe ä",
      actor: "Anna",
      data: { kind: "probe", name: "ä" },
    });
    const broken = { ...headers, "ce-subject": "%C3" };
    const refused = await served.send("POST", "/v1/events", {}, broken);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: "/subject" }] } });
  });
});

test.each([
  [{ specversion: "0.3" }, "/specversion"],
  [{ specversion: undefined }, "/specversion"],
  [{ id: "" }, "/id"],
  [{ source: undefined }, "/source"],
  [{ datacontenttype: "text/xml" }, "/datacontenttype"],
  [{ data_base64: "e30=" }, "/data_base64"],
  [{ partitionkey: "x" }, "/partitionkey"],
  [{ recordId: "x" }, "/recordId"],
])("%j is refused at %s", async (more, pointer) => {
  await withServedStore(async ({ send, store }) => {
    const refused = await send("POST", "/v1/events", cloudEvent("a", more), structured);
    expect(refused).toMatchObject({ status: 400, body: { code: "body-invalid" } });
    expect(refused.body.errors).toMatchObject([{ pointer }]);
    expect(store.head).toBe(0);
  });
});
