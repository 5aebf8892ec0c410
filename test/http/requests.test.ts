/** What a request may say, what is refused of it and with which word, and records whose ids a URL can hardly carry. */
import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";

import { created, type ErrorCode } from "@sennit/core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { playStory, serve, type Served } from "./served-store.ts";

let served: Served;

beforeAll(async () => {
  served = await serve({ minPositionSeconds: 0.2 });
  await playStory(served);
});

afterAll(() => served.close());

interface Problem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

async function problem(path: string, init?: RequestInit): Promise<Problem> {
  const response = await fetch(`${served.url}${path}`, init);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const body = (await response.json()) as Problem;
  expect(response.status).toBe(body.status);
  return body;
}

test.each<[path: string, status: number, code: ErrorCode, pointers?: readonly string[]]>([
  ["/v1/records?knid=model", 400, "request-invalid", ["/knid"]],
  ["/v1/records?limit=0", 400, "request-invalid", ["/limit"]],
  ["/v1/records?limit=1e2", 400, "request-invalid", ["/limit"]],
  ["/v1/records?limit=&explain=yes", 400, "request-invalid", ["/limit", "/explain"]],
  ["/v1/records?limit=1&limit=2", 400, "request-invalid", ["/limit"]],
  ["/v1/records?tag.=1", 400, "request-invalid", ["/tag."]],
  ["/v1/records?status=gone", 400, "request-invalid", ["/status"]],
  ["/v1/records?where=kind:", 400, "query-invalid"],
  ["/v1/records?cursor=abc", 400, "cursor-invalid"],
  ["/v1/records?as-of=", 400, "request-invalid", ["/as-of"]],
  ["/v1/records?as-of=1.5", 400, "as-of-invalid"],
  ["/v1/records?as-of=99999", 400, "as-of-ahead-of-head"],
  ["/v1/records?as-of=nowhere", 404, "label-not-found"],
  ["/v1/records?__proto__=1", 400, "request-invalid", ["/__proto__"]],
  ["/v1/store?as-of=1", 400, "request-invalid", ["/as-of"]],
  ["/v1/records/nothing", 404, "record-not-found"],
  ["/v1/records/m-1@9", 404, "version-not-found"],
  ["/v1/records/m-1@0", 400, "ref-invalid"],
  ["/v1/records/m-1@1?version=2", 400, "request-invalid", ["/version"]],
  ["/v1/records/m-1?ref=m-2", 400, "request-invalid", ["/ref"]],
  ["/v1/records/m-1@1/history", 400, "ref-invalid"],
  ["/v1/records/m-1/diff", 400, "request-invalid"],
  ["/v1/records/m-1/diff?from=1&with=m-2", 400, "request-invalid"],
  ["/v1/records/secret/diff?with=m-2", 409, "content-erased"],
  ["/v1/records/m-1/lineage?refs=true&since=3", 400, "request-invalid"],
  ["/v1/records/m-1/lineage?as-of=3&since=5", 400, "argument-invalid"],
  ["/v1/records/m-1/lineage?relation=likes", 400, "request-invalid", ["/relation/0"]],
  ["/v1/records/m-1/paths", 400, "request-invalid", ["/to"]],
  ["/v1/records/m-1/impact?at=9&as-of=5", 400, "argument-invalid"],
  ["/v1/diff?from=9&to=3", 400, "argument-invalid"],
  ["/v1/proofs/inclusion?position=9&size=3", 400, "argument-invalid"],
  ["/v1/proofs/consistency?from=9&to=3", 400, "argument-invalid"],
  ["/v1/checkpoint?size=999", 400, "as-of-ahead-of-head"],
  ["/v1/timeline?by=kind&by=kind", 400, "argument-invalid"],
  ["/v1/labels/none", 404, "label-not-found"],
  ["/v1/labels/12", 400, "label-invalid"],
  ["/v1/events?recordId=nothing", 404, "record-not-found"],
  ["/v1/nothing", 404, "route-not-found"],
  ["/v2/records", 404, "route-not-found"],
  ["/v1/records/", 400, "request-invalid", ["/ref"]],
  ["/v1/records/%zz", 400, "request-invalid", [""]],
])("%s is refused with %i %s", async (path, status, code, pointers = []) => {
  const refused = await problem(path);
  expect([refused.status, refused.code]).toEqual([status, code]);
  expect(refused.errors.map(({ pointer }) => pointer)).toEqual(pointers);
});

test("a parameter that nearly has a name is told it", async () => {
  const { errors } = await problem("/v1/records?knid=model");
  expect(errors[0]?.detail).toContain('"kind"');
});

test("a problem says how long the log is, except to who may not know", async () => {
  const { headers } = await fetch(`${served.url}/v1/records/nothing`);
  expect(headers.get("sennit-position")).toBe(String(served.store.head));
  expect((await fetch(`${served.url}/v1/nothing`)).headers.has("sennit-position")).toBe(false);
});

test("an answer speaks for the position that it names", async () => {
  const positionOf = async (path: string) =>
    (await fetch(`${served.url}${path}`)).headers.get("sennit-position");
  expect(await positionOf("/v1/records/m-1?as-of=first")).toBe("3");
  expect(await positionOf("/v1/records/m-1")).toBe(String(served.store.head));
  expect(await positionOf("/v1/diff?from=1&to=7")).toBe("7");
  expect(await positionOf("/v1/checkpoint?size=4")).toBe("4");
});

test("the pages of a listing speak for the instant of the first, whatever is stored between them", async () => {
  const first = await fetch(`${served.url}/v1/records?limit=2`);
  const { asOf, nextCursor } = (await first.json()) as { asOf: number; nextCursor: string };
  await served.store.append([created(`new-${asOf}`, { kind: "k", name: "n" })]);
  const next = await fetch(`${served.url}/v1/records?limit=2&cursor=${nextCursor}`);
  expect([asOf, ((await next.json()) as { asOf: number }).asOf]).toEqual([asOf, asOf]);
  expect(next.headers.get("cache-control")).toContain("immutable");
});

test("a position that is demanded is waited for, and said when it does not come", async () => {
  const ask = (position: number | string) =>
    problem("/v1/records/nothing", { headers: { "sennit-min-position": String(position) } });
  const { head } = served.store;
  expect((await ask(head)).code).toBe("record-not-found");
  expect((await ask(head + 1)).code).toBe("position-not-reached");
  expect((await ask("soon")).code).toBe("argument-invalid");
  const waiting = fetch(`${served.url}/v1/records/awaited`, {
    headers: { "sennit-min-position": String(head + 1) },
  });
  await served.store.append([created("awaited", { kind: "k", name: "n" })]);
  expect((await waiting).status).toBe(200);
});

/** Asks with the path exactly as it is given, as a URL of the standard would not. */
async function askRaw(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, port } = new URL(served.url);
  return new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
      .on("error", reject)
      .end();
  });
}

const strangeIds = [
  ".",
  "..",
  "-",
  "a/../b",
  "a//b",
  "/",
  "%",
  "%2F",
  "%252F",
  "a%00b",
  "a?b=c#d",
  "a;b",
  "a b+c",
  "über/ß",
  "🧪".repeat(128),
  "x".repeat(512),
  "history",
  "a@b",
  "@1@",
  "__proto__",
];

test.each(strangeIds)(
  "the record %j is found by the ref in a path, or in the query",
  async (id) => {
    await served.store.append([created(id, { kind: "k", name: "n" })]);
    const encoded = encodeURIComponent(id);
    const idIn = (body: string) => (JSON.parse(body) as { readonly id?: string }).id;
    expect(idIn((await askRaw(`/v1/records/-?ref=${encoded}`)).body)).toBe(id);
    const history = await askRaw(`/v1/records/-/history?ref=${encoded}`);
    expect((JSON.parse(history.body) as { readonly recordId: string }).recordId).toBe(id);
    expect(idIn((await askRaw(`/v1/records/${encoded}@1`)).body)).toBe(id);
    const response = await fetch(`${served.url}/v1/records/-?ref=${encoded}&version=1`);
    expect(((await response.json()) as { readonly id: string }).id).toBe(id);
  },
);
