/** Addresses and methods that no route takes, and addresses that cannot be read, over a real socket. */
import { request } from "node:http";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

import { allRoutes } from "../routes/index.ts";
import { forAllTests } from "../testing/for-all-tests.ts";
import { withServer, type Serving } from "../testing/serving.ts";

const serving = forAllTests<Serving>((use) => withServer({}, use));

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** Asks with the target exactly as it is given. */
function ask(method: string, path: string, body?: string): Promise<Answered> {
  const { port } = serving();
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", method, path }, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((read) => {
        resolve({ status, headers: headers as Answered["headers"], body: read });
      }, reject);
    });
    asked.on("error", reject).end(body);
  });
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

function problemIn({ body }: Answered): Problem {
  return JSON.parse(body) as Problem;
}

const addresses = [...new Set(allRoutes.map(({ url }) => url)), "/openapi.json", "/docs/errors"];

function allowIn({ headers }: Answered): string[] {
  return (headers["allow"] ?? "").split(", ").toSorted();
}

test.each(addresses)("%s names its methods, and refuses the others with them", async (url) => {
  const own = allRoutes.filter((route) => route.url === url).map(({ method }) => method);
  const methods = new Set<string>(own.length === 0 ? ["GET"] : own);
  if (methods.has("GET")) methods.add("HEAD");
  const allowed = [...methods, "OPTIONS"].toSorted();
  const path = url.replaceAll(/:\w+/g, "a%2Fb");
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]) {
    if (methods.has(method)) continue;
    const refused = await ask(method, path);
    expect([method, refused.status, allowIn(refused)]).toEqual([method, 405, allowed]);
    if (method === "HEAD") expect(refused.body).toBe("");
    else expect(problemIn(refused).code).toBe("method-not-allowed");
  }
  const told = await ask("OPTIONS", path);
  expect([told.status, told.body, allowIn(told)]).toEqual([204, "", allowed]);
});

test.each(["/v1/nothing", "/v1/records/a/b/c/d", "/v1", "/v2/records", "/docs/nothing"])(
  "%s is no address for any method",
  async (path) => {
    for (const method of ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND"]) {
      const refused = await ask(method, path);
      expect([method, refused.status, refused.headers["allow"]]).toEqual([method, 404, undefined]);
      expect(problemIn(refused).code).toBe("route-not-found");
    }
  },
);

test("an address is the same when it is named with its host, and with a query", async () => {
  const refused = await ask("DELETE", "http://localhost/v1/records/a?x=1");
  expect([refused.status, allowIn(refused)]).toEqual([405, ["GET", "HEAD", "OPTIONS", "PATCH"]]);
});

test("a file of the page that is not there is not found, by a method that its address takes", async () => {
  for (const method of ["GET", "HEAD"]) {
    const refused = await ask(method, "/docs/static/nothing.js");
    expect([refused.status, refused.headers["allow"]]).toEqual([404, undefined]);
  }
  for (const path of ["/docs", "/docs/", "/docs/static/nothing.js"]) {
    const refused = await ask("DELETE", path);
    expect([path, refused.status, allowIn(refused)]).toEqual([
      path,
      405,
      ["GET", "HEAD", "OPTIONS"],
    ]);
  }
});

test("nobody waits for the body of a request that no route takes", async () => {
  for (const path of ["/v1/records/a", "/v1/nothing", "/v1/records/%zz"]) {
    expect((await ask("PUT", path, "x".repeat(100))).headers["connection"]).toBe("close");
  }
});

test.each([
  ["/v1/records/%zz", "%zz"],
  ["/v1/records/%E0%A4%A", "%E0%A4"],
  ["/v1/records/%", "%"],
  ["/v1/records/a%20b%ff", "%20b%ff"],
  ["/v1/nothing/%c0%ae?x=%20", "%c0%ae"],
  ["/docs/static/%f", "%f"],
])("the path %s is refused with what cannot be read in it", async (path, malformed) => {
  for (const method of ["GET", "DELETE", "PROPFIND", "OPTIONS"]) {
    const refused = await ask(method, path);
    expect(refused.status).toBe(400);
    expect(refused.headers["content-type"]).toContain("application/problem+json");
    expect(refused.headers["x-content-type-options"]).toBe("nosniff");
    expect(refused.headers["sennit-position"]).toBeUndefined();
    const { code, details, errors, hint, detail } = problemIn(refused);
    expect([code, details, errors[0]?.pointer]).toEqual(["request-invalid", { part: "path" }, ""]);
    expect(detail).toContain(malformed.slice(-3));
    expect(hint).toContain("%25");
  }
});

test.each([
  ["/v1/records?kind=%zz", "/kind"],
  ["/v1/records?limit=2&kind=a%E0%A4%A", "/kind"],
  ["/v1/records?%zz=1", "/%zz"],
  ["/v1/records?kind=%", "/kind"],
  ["/healthz?%ff", "/%ff"],
  ["/v1/records?kind=%25zz&tag.%C3=1", "/tag.%C3"],
])("the query of %s is refused with a pointer to what cannot be read", async (path, pointer) => {
  const refused = await ask("GET", path);
  expect(refused.status).toBe(400);
  const { code, details, errors, hint } = problemIn(refused);
  expect([code, details]).toEqual(["request-invalid", { part: "query" }]);
  expect(errors.map((error) => error.pointer)).toEqual([pointer]);
  expect(hint).toContain("%25");
});

test("what is percent-encoded as it should be is read", async () => {
  for (const query of ["kind=%25zz", "kind=%C3%A9+%2B", "tag.a%25=1", "kind=100%25"]) {
    expect((await ask("GET", `/v1/records?${query}`)).status).toBe(200);
  }
  const named = await ask("GET", "/v1/records/%25zz%C3%A9");
  expect(problemIn(named)).toMatchObject({
    code: "record-not-found",
    details: { recordId: "%zzé" },
  });
});

test("a part of a path that is too long is refused without being told back", async () => {
  const refused = await ask("GET", `/v1/records/${"a".repeat(3000)}`);
  expect([refused.status, problemIn(refused).code]).toEqual([400, "request-invalid"]);
  expect(refused.body.length).toBeLessThan(1000);
});
