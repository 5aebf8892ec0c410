/** The forms of an answer over HTTP, what may be kept of it, and which form a caller gets. */
import { created } from "@sennit/core";
import { unpack } from "msgpackr";
import { afterAll, beforeAll, expect, test } from "vitest";

import { allRoutes } from "../../packages/server/src/routes/index.ts";
import { questions } from "./questions.ts";
import { playStory, serve, type Served } from "./served-store.ts";

let served: Served;

beforeAll(async () => {
  served = await serve();
  await playStory(served);
});

afterAll(() => served.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${served.url}${path}`, { headers: { "accept-encoding": "identity", ...headers } });
}

async function problemOf(response: Response): Promise<[number, unknown]> {
  const { code } = (await response.json()) as { readonly code: string };
  return [response.status, code];
}

test.each([
  [undefined, "application/json"],
  ["*/*", "application/json"],
  ["text/*", "text/csv"],
  ["text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"],
  ["text/csv, application/x-ndjson;q=0.9", "text/csv"],
  ["application/msgpack", "application/vnd.msgpack"],
  ["application/json;q=0, */*;q=0.1", "application/x-ndjson"],
  ["text/html, application/xhtml+xml, */*;q=0.8", "application/json"],
])("who accepts %s gets %s", async (accept, type) => {
  const response = await get("/v1/records", accept === undefined ? {} : { accept });
  expect(response.headers.get("content-type")?.split(";")[0]).toBe(type);
});

test.each(["text/html", "application/json;q=0", "image/*"])(
  "who accepts %s alone gets nothing",
  async (accept) => {
    expect(await problemOf(await get("/v1/records", { accept }))).toEqual([406, "not-acceptable"]);
  },
);

test.each(questions)("$path in MessagePack says what its JSON says", async ({ path }) => {
  const json: unknown = await (await get(path)).json();
  const packed = await get(path, { accept: "application/vnd.msgpack" });
  expect(unpack(Buffer.from(await packed.arrayBuffer()))).toEqual(json);
});

const listed = questions.filter(({ operationId }) =>
  allRoutes.some((route) => route.operationId === operationId && route.rows !== undefined),
);

test.each(listed)("$path has its list as lines and as rows", async ({ operationId, path }) => {
  const rows = allRoutes.find((route) => route.operationId === operationId)?.rows;
  const answer = (await (await get(path)).json()) as Record<string, unknown>;
  const list = rows?.member === undefined ? answer : (answer[rows.member] ?? [answer]);
  const lines = await (await get(path, { accept: "application/x-ndjson" })).text();
  expect(
    lines
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(list);
  const csv = await (await get(path, { accept: "text/csv" })).text();
  expect(csv.split("\r\n")[0]).toBe(rows?.columns.join(","));
  expect(csv.split("\r\n")).toHaveLength((list as readonly unknown[]).length + 2);
});

test("a cell that begins like a formula gets a quote in front, and what has parts is JSON", async () => {
  const attributes = { a: [1], text: "two\nlines" };
  await served.store.append([
    created("=cmd()", { kind: "k", name: 'say "hi", now', attributes, tags: { n: -1 } }),
  ]);
  const csv = await (await get("/v1/records?kind=k", { accept: "text/csv" })).text();
  expect(csv).toContain(`\r\n'=cmd(),1,k,"say ""hi"", now",valid,false,`);
  expect(csv).toContain(`,"{""n"":-1}",[],"{""a"":[1],""text"":""two\\nlines""}",`);
  const diff = await get("/v1/records/cal-1/diff?with=%3Dcmd()", { accept: "text/csv" });
  expect(await diff.text()).toContain(`\r\n/attributes/text,added,,"two\nlines"\r\n`);
});

test("an answer as of a fixed instant may be kept, any other is asked again", async () => {
  const caching = async (path: string) => (await get(path)).headers.get("cache-control");
  const fixed = "private, max-age=31536000, immutable";
  expect(await caching("/v1/records/m-1?as-of=5")).toBe(fixed);
  expect(await caching("/v1/records?as-of=2026-03-02T10:00:00Z&limit=2")).toBe(fixed);
  expect(await caching("/v1/diff?from=1&to=5")).toBe(fixed);
  expect(await caching("/v1/diff?from=first&to=5")).toBe("private, no-cache");
  expect(await caching("/v1/records/m-1")).toBe("private, no-cache");
  expect(await caching("/v1/records/m-1?as-of=first")).toBe("private, no-cache");
});

test("an answer that has not changed is not sent again", async () => {
  const { headers } = await get("/v1/records/m-1?as-of=5");
  const etag = headers.get("etag") ?? "";
  expect(etag).toMatch(/^"\d+\.[\w-]{22}"$/);
  const again = await get("/v1/records/m-1?as-of=5", { "if-none-match": `"other", W/${etag}` });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  for (const name of ["etag", "cache-control", "vary", "sennit-position"]) {
    expect([name, again.headers.get(name)]).toEqual([name, headers.get(name)]);
  }
  expect((await get("/v1/records/m-1?as-of=6", { "if-none-match": '"other"' })).status).toBe(200);
});

test("each form and each encoding of an answer has a tag of its own, and is known by it", async () => {
  const forms = [
    {},
    { accept: "application/x-ndjson" },
    { "accept-encoding": "gzip" },
    { "accept-encoding": "br" },
  ];
  const tags = new Set<string>();
  for (const headers of forms) {
    const path = "/v1/records?as-of=14";
    const response = await get(path, headers);
    const etag = response.headers.get("etag") ?? "";
    tags.add(etag);
    const encoding = headers["accept-encoding"] ?? null;
    expect(response.headers.get("content-encoding")).toBe(encoding);
    const again = await get(path, { ...headers, "if-none-match": etag });
    expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
  }
  expect(tags.size).toBe(forms.length);
});

test("an answer that is compressed says the same", async () => {
  const plain = await (await get("/v1/records")).text();
  for (const encoding of ["gzip", "br"]) {
    const response = await get("/v1/records", { "accept-encoding": encoding });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(await response.text()).toBe(plain);
  }
});

test("a small answer is not compressed", async () => {
  const { headers } = await get("/v1/store", { "accept-encoding": "gzip" });
  expect(headers.get("content-encoding")).toBeNull();
});

test("HEAD has the headers of GET and no body", async () => {
  const ofGet = await get("/v1/records?limit=2");
  const ofHead = await fetch(`${served.url}/v1/records?limit=2`, {
    method: "HEAD",
    headers: { "accept-encoding": "identity" },
  });
  expect(await ofHead.text()).toBe("");
  for (const name of ["etag", "content-length", "content-type", "link", "sennit-position"]) {
    expect([name, ofHead.headers.get(name)]).toEqual([name, ofGet.headers.get(name)]);
  }
});

test("a page names the request for the next one, in every form", async () => {
  for (const accept of ["application/json", "application/x-ndjson", "text/csv"]) {
    const { headers } = await get("/v1/records?limit=2&where=-kind:label", { accept });
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1] ?? "";
    const page = (await (await get(next)).json()) as { readonly records: readonly unknown[] };
    expect(page.records).toHaveLength(2);
  }
  const events = await get("/v1/events?limit=2", { accept: "application/x-ndjson" });
  expect(events.headers.get("link")).toBe('</v1/events?limit=2&from=3>; rel="next"');
});

test("NDJSON and CSV without a limit are whole", async () => {
  const { head } = served.store;
  const lines = await (await get("/v1/events", { accept: "application/x-ndjson" })).text();
  expect(lines.split("\n")).toHaveLength(head + 1);
});
