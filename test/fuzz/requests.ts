/** Makes requests from an OpenAPI document: right ones, wrong ones and wicked ones. */
import type { Contract, Operation } from "../support/open-api.ts";
import type { Random } from "./random.ts";
import { anyText, bodyValue, eventValue, parameterTexts, type Resolve } from "./values.ts";

export interface MadeRequest {
  readonly operation: Operation;
  /** As it goes over the wire. */
  readonly target: string;
  /** Whether the target is an address of the operation, and of no other. */
  readonly isPlain: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export function makeRequest(random: Random, contract: Contract, resolve: Resolve): MadeRequest {
  const operation = random.pick(contract.operations);
  const { parameters = [] } = operation;
  const query = new URLSearchParams();
  let path = operation.path;
  let isPlain = true;
  for (const parameter of parameters.map((given) => contract.resolve(given))) {
    const { name, required = false, schema } = parameter;
    if (parameter.in === "path") {
      const [text = ""] = parameterTexts(random, schema, resolve);
      const isRaw = random.chance(4);
      if (isRaw || text === "" || text === "." || text === "..") isPlain = false;
      path = path.replace(`{${name}}`, () => (isRaw ? rawPart(text) : encoded(text)));
    } else if (parameter.in === "query" && (required ? !random.chance(5) : random.chance(25))) {
      if (parameter.explode === true) query.append(`tag.${anyText(random)}`, anyText(random));
      else {
        for (const text of parameterTexts(random, schema, resolve)) {
          query.append(name, name === "wait" ? waited(text) : text);
        }
      }
    }
  }
  if (random.chance(4)) query.append(anyText(random), anyText(random));
  const search = query.size === 0 ? "" : `?${query.toString()}`;
  const target = `${path}${search}${random.chance(2) ? "%zz&%" : ""}`;
  return { operation, target, isPlain, ...bodyOf(random, operation, resolve) };
}

/** Seconds that are worth waiting for when nothing comes; anything else as it is. */
function waited(text: string): string {
  return /^[1-9]\d$/.test(text) ? "1" : text;
}

/** What may stand in the first line of a request at all. */
function rawPart(text: string): string {
  return text.replaceAll(/[^!-~]/g, "~");
}

function encoded(text: string): string {
  return encodeURIComponent(text);
}

function bodyOf(
  random: Random,
  { requestBody, operationId, method }: Operation,
  resolve: Resolve,
): Pick<MadeRequest, "headers" | "body"> {
  const headers = headersOf(random);
  if (requestBody === undefined || random.chance(3)) {
    const isSent = method !== "GET" && random.chance(10);
    return { headers, body: isSent ? Buffer.from(anyText(random)) : undefined };
  }
  const [type, { schema = {} }] = random.pick(Object.entries(requestBody.content));
  const value =
    operationId === "appendEvents" ? batchOf(random, type) : bodyValue(random, schema, resolve);
  const sent = random.chance(95)
    ? type
    : random.pick(["text/plain", "application/xml", "x", "application/json; charset=latin1"]);
  return {
    headers: { "content-type": sent, ...headers },
    body: spoilt(random, textOf(value, type)),
  };
}

function batchOf(random: Random, type: string): unknown {
  const events = Array.from({ length: 1 + random.upTo(3) }, () => eventValue(random));
  if (type.startsWith("application/cloudevents")) {
    const wrapped = events.map((data, index) => ({
      specversion: random.pick(["1.0", "1.0", "0.3"]),
      id: `${index}-${random.upTo(1000)}`,
      source: random.pick(["/fuzz", "", "urn:x"]),
      type: random.pick(["record.created", "org.sennit.record.created", "x"]),
      ...(random.chance(80) ? { data } : { data_base64: anyText(random) }),
      ...(random.chance(20) && { [anyText(random)]: anyText(random) }),
    }));
    return type.endsWith("batch+json") ? wrapped : wrapped[0];
  }
  if (random.chance(20)) return { events, expectedHead: random.upTo(60) };
  return random.chance(50) ? events : events[0];
}

function textOf(value: unknown, type: string): string {
  if (!type.includes("ndjson")) return JSON.stringify(value) ?? "";
  return (Array.isArray(value) ? value : [value])
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
}

/** The text as bytes, now and then with something wrong in it that JSON cannot say. */
function spoilt(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  if (random.chance(90)) return bytes;
  const at = random.upTo(bytes.length);
  return random.pick([
    () => bytes.subarray(0, at),
    () => Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff, 0xc0]), bytes.subarray(at)]),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.from("[".repeat(20_000)),
    () => Buffer.from(text.replace("{", '{"__proto__":{"a":1},"a":1,"a":2,')),
    () => Buffer.from(text.replaceAll(/\d+/g, "1e999")),
    () => Buffer.from(`${text}${text}`),
    () => Buffer.alloc(0),
  ])();
}

/** Headers that change what is answered, and such as must not. */
const headerValues: Readonly<Record<string, readonly string[]>> = {
  accept: [
    "*/*",
    "application/json",
    "text/csv",
    "application/x-ndjson",
    "application/vnd.msgpack",
    "text/event-stream",
    "image/png",
    ";;;",
    "application/json;q=0",
    "a/b, */*;q=0.1",
  ],
  "accept-encoding": ["gzip", "br", "deflate", "identity;q=0", "x", "*"],
  "if-none-match": ["*", '"x"', 'W/"x"', ",,,"],
  "if-match": ["*", '"1.x"', '"1"', "x", "1"],
  "sennit-min-position": ["0", "1", "-1", "x", "999999999", "1e3"],
  "last-event-id": ["0", "3", "x", "-1", "99999999999999999999"],
  "idempotency-key": ["k", "", "x".repeat(300), "é", "a b"],
  "content-encoding": ["identity", "gzip", "x"],
  range: ["bytes=0-1"],
  origin: ["null", "http://example.org"],
  traceparent: ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x"],
  "x-request-id": ["a", "x".repeat(3000)],
  "x-http-method-override": ["DELETE"],
  cookie: ["a=b; __proto__=c"],
  "ce-specversion": ["1.0"],
};

function headersOf(random: Random): Record<string, string> {
  const given = Object.entries(headerValues).filter(([name]) =>
    random.chance(name === "accept" ? 20 : 4),
  );
  const headers = given.map(([name, values]) => [
    name,
    Buffer.from(random.pick(values)).toString("latin1"),
  ]);
  return Object.fromEntries(headers) as Record<string, string>;
}
