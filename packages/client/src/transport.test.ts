/** Requests: what is sent, what is sent again, and what becomes of answers that are none. */
import type { ServerResponse } from "node:http";

import { errorCodes, isStoreError, toStoreError } from "@sennit/core";
import { expect, test } from "vitest";

import { ClientError, ownCodes } from "./client-error.ts";
import {
  hangUp,
  json,
  problem,
  scriptedServer,
  type ScriptedServer,
} from "./testing/scripted-server.ts";
import { Transport, type Ask, type TransportOptions } from "./transport.ts";

const retry = { pauseMs: 1 };

async function withScript<T>(
  script: Parameters<typeof scriptedServer>[0],
  use: (transport: Transport, server: ScriptedServer) => Promise<T>,
  options: TransportOptions = { retry },
): Promise<T> {
  const server = await scriptedServer(script);
  try {
    return await use(new Transport(server.url, options), server);
  } finally {
    await server.close();
  }
}

async function failureOf(promise: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

const ask: Ask = { path: ["v1", "store"] };
const post: Ask = { ...ask, method: "POST", body: "{}" };

test("category and hint of the codes raised here are those of the core", () => {
  const declared = Object.keys(ownCodes).map((code) => [
    code,
    errorCodes[code as keyof typeof ownCodes],
  ]);
  expect(Object.fromEntries(declared)).toEqual(ownCodes);
});

test("a problem becomes the error that the store raised, with its issues", async () => {
  const issues = [{ pointer: "/data/kind", detail: "must not be empty" }];
  const told = {
    status: 400,
    code: "event-invalid",
    category: "invalid",
    detail: "Event 0 is invalid.",
    hint: "Correct it.",
    details: { index: 0 },
    errors: issues,
  };
  await withScript([json(told, { status: 400 })], async (transport) => {
    const error = await failureOf(transport.json(ask));
    expect(isStoreError(error)).toBe(true);
    expect(toStoreError(error)).toBe(error);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "event-invalid",
      category: "invalid",
      message: "Event 0 is invalid.",
      hint: "Correct it.",
      details: { index: 0, issues: [{ pointer: "/data/kind", message: "must not be empty" }] },
    });
  });
});

test("a question is asked again after a broken connection and while the server is busy", async () => {
  const script = [hangUp, problem(503, "store-reopening", "busy"), hangUp, json({ storeId: "s" })];
  await withScript(script, async (transport, { received }) => {
    expect(await transport.json(ask)).toEqual({ storeId: "s" });
    expect(received).toHaveLength(4);
  });
});

test("a question is asked as often as allowed and no more", async () => {
  await withScript(
    [hangUp],
    async (transport, { received }) => {
      expect((await failureOf(transport.json(ask))).code).toBe("server-unreachable");
      expect(received).toHaveLength(3);
    },
    { retry: { ...retry, attempts: 3 } },
  );
});

test("what a server refuses for good is not asked again", async () => {
  for (const [status, code, category] of [
    [404, "record-not-found", "not-found"],
    [500, "internal", "internal"],
    [503, "disk-full", "unavailable"],
    [401, "unauthenticated", "denied"],
  ] as const) {
    await withScript([problem(status, code, category)], async (transport, { received }) => {
      expect((await failureOf(transport.json(ask))).code).toBe(code);
      expect(received).toHaveLength(1);
    });
  }
});

test("what changes something is sent once, unless it says that it may be sent again", async () => {
  await withScript([hangUp, json({})], async (transport, { received }) => {
    expect((await failureOf(transport.json(post))).code).toBe("server-unreachable");
    expect(received).toHaveLength(1);
    expect(await transport.json({ ...post, isRepeatable: true })).toEqual({});
  });
});

test("a server that asks for more patience than the caller has is not waited for", async () => {
  const script = [problem(429, "rate-limited", "busy", { "retry-after": "3600" }), json({})];
  await withScript(script, async (transport, { received }) => {
    expect((await failureOf(transport.json(ask))).code).toBe("rate-limited");
    expect(received).toHaveLength(1);
  });
});

test("Retry-After is waited for, in seconds or until a date", async () => {
  const soon = new Date(Date.now() + 1).toUTCString();
  const script = [
    problem(429, "rate-limited", "busy", { "retry-after": "0" }),
    problem(429, "rate-limited", "busy", { "retry-after": soon }),
    json({}),
  ];
  await withScript(script, async (transport, { received }) => {
    await transport.json(ask);
    expect(received).toHaveLength(3);
  });
});

test("a page from something in between is told by its status, and as what it is", async () => {
  const page = (status: number) => (_: unknown, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "text/html" });
    response.end("<html>bad gateway</html>");
  };
  for (const [status, code] of [
    [200, "server-unreachable"],
    [302, "server-unreachable"],
    [401, "unauthenticated"],
    [403, "forbidden"],
    [404, "route-not-found"],
    [413, "body-too-large"],
    [429, "rate-limited"],
    [500, "server-unreachable"],
    [502, "server-unreachable"],
  ] as const) {
    await withScript([page(status)], async (transport) => {
      const error = await failureOf(transport.json(ask));
      expect([status, error.code]).toEqual([status, code]);
      expect(error.details).toMatchObject({ status, contentType: "text/html" });
      expect(error.category).toBe(errorCodes[code].category);
    });
  }
});

test("nobody there, and no such host, are told with the address", async () => {
  const { url, close } = await scriptedServer([json({})]);
  await close();
  const error = await failureOf(new Transport(url, { retry: { attempts: 1 } }).json(ask));
  expect(error.code).toBe("server-unreachable");
  expect(error.details).toMatchObject({ url });
  expect(error.hint).toBe(errorCodes["server-unreachable"].hint);
});

test("an answer that is cut off is asked for again", async () => {
  const cut = (_: unknown, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"storeId":');
    setImmediate(() => response.socket?.destroy());
  };
  await withScript([cut, json({ storeId: "s" })], async (transport) => {
    expect(await transport.json(ask)).toEqual({ storeId: "s" });
  });
});

test("a signal stops a request under way, a pause, and one that was not begun", async () => {
  const never = (): void => undefined;
  for (const script of [[never], [problem(429, "rate-limited", "busy", { "retry-after": "5" })]]) {
    await withScript(script, async (transport, { received }) => {
      const abort = new AbortController();
      const asked = failureOf(transport.json({ ...ask, signal: abort.signal }));
      while (received.length === 0) {
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
      }
      abort.abort(new Error("enough"));
      expect((await asked).code).toBe("aborted");
      expect((await failureOf(transport.json({ ...ask, signal: abort.signal }))).code).toBe(
        "aborted",
      );
      expect(received).toHaveLength(1);
    });
  }
});

test("a closed client stops what is under way and refuses the rest", async () => {
  await withScript([(): void => undefined], async (transport, { received }) => {
    const asked = failureOf(transport.json(ask));
    transport.close();
    expect((await asked).code).toBe("store-closed");
    expect((await failureOf(Promise.resolve().then(() => transport.json(ask)))).code).toBe(
      "store-closed",
    );
    expect(received.length).toBeLessThanOrEqual(1);
  });
});

test("the credential is sent with each request, fresh where a function gives it", async () => {
  let count = 0;
  const token = async (): Promise<string> => `token-${(count += 1)}`;
  await withScript(
    [json({})],
    async (transport, { received }) => {
      await transport.json(ask);
      await transport.json(ask);
      expect(received.map(({ headers }) => headers.authorization)).toEqual([
        "Bearer token-1",
        "Bearer token-2",
      ]);
    },
    { token, retry },
  );
});

test("a credential that no header can hold is refused and not repeated", async () => {
  await withScript(
    [json({})],
    async (transport, { received }) => {
      const { code, message, details } = await failureOf(transport.json(ask));
      expect(code).toBe("argument-invalid");
      expect(JSON.stringify({ message, details })).not.toContain("hunter2");
      expect(received).toEqual([]);
    },
    { token: "hunter2\n", retry },
  );
});

test("a later answer must have reached what earlier answers told of", async () => {
  const at = (position: number) => json({}, { headers: { "sennit-position": String(position) } });
  await withScript([at(7), at(3), at(9), at(9)], async (transport, { received }) => {
    for (let asked = 0; asked < 4; asked += 1) await transport.json(ask);
    const demanded = received.map(({ headers }) => headers["sennit-min-position"]);
    expect(demanded).toEqual([undefined, "7", "7", "9"]);
    expect(transport.head).toBe(9);
  });
});

test("parts of a path and values of a query arrive as they were given", async () => {
  const part = "a/b%2F c?d#e@1 ü\u{1f9ea}";
  await withScript([json({})], async (transport, { received }) => {
    await transport.json({
      path: ["v1", part],
      query: { where: part, role: ["x", "y"], no: undefined },
    });
    const url = new URL(received[0]?.url ?? "", transport.url);
    expect(decodeURIComponent(url.pathname.slice("/v1/".length))).toBe(part);
    expect([...url.searchParams]).toEqual([
      ["where", part],
      ["role", "x"],
      ["role", "y"],
    ]);
  });
});

test("half of a surrogate pair is refused before anything is sent", async () => {
  await withScript([json({})], async (transport, { received }) => {
    const error = await failureOf(transport.json({ ...ask, query: { where: "\ud800" } }));
    expect(error.code).toBe("argument-invalid");
    expect(received).toEqual([]);
  });
});

test.each(["localhost:4600", "ftp://host", "http://u:p@host", "http://host?x=1", "nothing", ""])(
  "%s is no address of a server",
  (url) => {
    let error: unknown;
    try {
      error = new Transport(url);
    } catch (failure) {
      error = failure;
    }
    expect(error).toMatchObject({ name: "StoreError", code: "argument-invalid" });
    expect(JSON.stringify(error)).not.toContain("u:p@");
  },
);

test("a server may stand below another address", async () => {
  const { url, received, close } = await scriptedServer([json({})]);
  await new Transport(`${url}/some/where/`).json(ask);
  await close();
  expect(received[0]?.url).toBe("/some/where/v1/store");
});

test("a server that moves is asked where it is by then, also when a request is sent again", async () => {
  const second = await scriptedServer([json({ at: 2 })]);
  const move: typeof hangUp = (received, response) => {
    url = second.url;
    hangUp(received, response);
  };
  const first = await scriptedServer([json({ at: 1 }), move]);
  let url: string | undefined = first.url;
  const transport = new Transport(first.url, { retry, locate: () => url });
  expect(await transport.json(ask)).toEqual({ at: 1 });
  expect(await transport.json(ask)).toEqual({ at: 2 });
  expect(transport.url).toBe(second.url);
  url = undefined;
  expect(await failureOf(transport.json(ask))).toMatchObject({ code: "server-unreachable" });
  expect(second.received).toHaveLength(1);
  await Promise.all([first.close(), second.close()]);
});
