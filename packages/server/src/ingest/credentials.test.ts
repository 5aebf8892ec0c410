/** Who may write what, in whichever form it is sent: a credential's actor, and the scope that invalidating needs. */
import { openStore, systemClock } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { createKey } from "../keys/manage-keys.ts";
import { startServer } from "../start.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

type Post = (path: string, type: string, body: string) => Promise<Answer>;

/** Serves a store with a record `a` to a key that may read and append. */
async function withKey(use: (post: Post) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([{ type: "record.created", recordId: "a", data: { kind: "k", name: "a" } }]);
    await store.close();
    const scopes = ["read", "append"] as const;
    const { key } = await createKey(directory, { name: "maria", scopes, clock: systemClock });
    const server = await startServer({ directory, port: 0 });
    try {
      await use(async (path, type, body) => {
        const headers = { "content-type": type, authorization: `Bearer ${key}` };
        const response = await fetch(server.url + path, { method: "POST", headers, body });
        return { status: response.status, text: await response.text() };
      });
    } finally {
      await server.close();
    }
  });
}

const path = "/v1/events";

function creation(recordId: string, more: object = {}): object {
  return { type: "record.created", recordId, data: { kind: "k", name: recordId }, ...more };
}

const invalidation = { type: "record.invalidated", recordId: "a", data: { cause: "c" } };
const cloud = { specversion: "1.0", id: "1", source: "/beamline/7" };

test.each([
  ["one", "application/json", JSON.stringify(invalidation), "/type"],
  ["a list", "application/json", JSON.stringify([creation("b"), invalidation]), "/1/type"],
  ["conditions", "application/json", JSON.stringify({ events: [invalidation] }), "/events/0/type"],
  [
    "a CloudEvent",
    "application/cloudevents+json",
    JSON.stringify({ ...cloud, type: "record.invalidated", subject: "a", data: { cause: "c" } }),
    "/type",
  ],
])("invalidating by %s needs the scope for it", async (_form, type, body, pointer) => {
  await withKey(async (post) => {
    const { status, text } = await post(path, type, body);
    expect(status).toBe(403);
    expect(JSON.parse(text)).toMatchObject({ code: "forbidden", errors: [{ pointer }] });
  });
});

test("among lines, the one that the credential does not allow is refused, and the others are stored", async () => {
  await withKey(async (post) => {
    const lines = [creation("b"), invalidation, creation("c", { actor: "otto" }), creation("d")];
    const body = lines.map((line) => JSON.stringify(line)).join("\n");
    const { text } = await post(path, "application/x-ndjson", body);
    const told = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(told).toMatchObject([
      { line: 1, status: "stored" },
      { line: 2, status: "refused", code: "forbidden", pointer: "/type" },
      { line: 3, status: "refused", code: "forbidden", pointer: "/actor" },
      { line: 4, status: "stored" },
      { summary: { stored: 2, refused: 2 } },
    ]);
  });
});

test("a line that the store refuses, before one that the credential does not allow, ends nothing", async () => {
  await withKey(async (post) => {
    const lines = [creation("b"), creation("a"), creation("c"), invalidation, creation("d")];
    const body = lines.map((line) => JSON.stringify(line)).join("\n");
    const { text } = await post(path, "application/x-ndjson", body);
    const told = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(told).toMatchObject([
      { line: 1, status: "stored" },
      { line: 2, status: "refused", code: "record-already-exists" },
      { line: 3, status: "stored" },
      { line: 4, status: "refused", code: "forbidden" },
      { line: 5, status: "stored" },
      { summary: { stored: 3, refused: 2 } },
    ]);
  });
});

test("the actor is that of the credential, also of a CloudEvent with a source and of a command", async () => {
  await withKey(async (post) => {
    const event = {
      ...cloud,
      type: "record.created",
      subject: "b",
      data: { kind: "k", name: "b" },
    };
    const stored = await post(path, "application/cloudevents+json", JSON.stringify(event));
    expect(stored.status).toBe(200);
    const changed = await post(
      "/v1/records",
      "application/json",
      '{"id":"c","kind":"k","name":"c"}',
    );
    expect(JSON.parse(changed.text)).toMatchObject({ record: { actor: "maria" } });
    const other = await post(
      "/v1/records",
      "application/json",
      '{"kind":"k","name":"d","actor":"otto"}',
    );
    expect(JSON.parse(other.text)).toMatchObject({
      code: "forbidden",
      errors: [{ pointer: "/actor" }],
    });
    const back = await post("/v1/records/b/restore", "application/json", '{"version":1}');
    expect(JSON.parse(back.text)).toMatchObject({ record: { actor: "maria" } });
  });
});
