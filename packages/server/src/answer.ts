/** Sends an answer: its position, whether it may be kept, and its form. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";

import type { FastifyReply } from "fastify";

import { formPieces } from "./forms/form-pieces.ts";
import { formTypes } from "./forms/negotiate.ts";
import type { Answer, Exchange, ListAnswer, Route, StreamAnswer, ValueAnswer } from "./route.ts";

export const positionHeader = "sennit-position";

/** What is asked as of a fixed instant stays as it is; anything else is asked again each time, which a 304 makes cheap. */
const fixedCaching = "private, max-age=31536000, immutable";
const currentCaching = "private, no-cache";

/** Bytes up to which an answer is put together before it is sent, with its length and an ETag. */
const wholeBytesMax = 1024 * 1024;

/** @returns undefined when all of it has been handed over */
export function sendAnswer(
  exchange: Exchange,
  route: Route,
  answer: Answer,
): Promise<unknown> | undefined {
  const { reply } = exchange;
  if (route.scope !== "none") reply.header(positionHeader, String(answer.position));
  if ("stream" in answer) {
    sendStream(reply, answer);
    return undefined;
  }
  if ("value" in answer) {
    if (answer.headers !== undefined) reply.headers(answer.headers);
    reply.code(answer.status ?? 200);
    if (answer.isShort === true && exchange.form !== "messagepack") {
      reply.header("content-type", formTypes.json[0]).send(JSON.stringify(answer.value));
      return undefined;
    }
  }
  return sendPieces(exchange, route, answer);
}

async function sendPieces(
  exchange: Exchange,
  route: Route,
  answer: ValueAnswer | ListAnswer,
): Promise<void> {
  const { reply } = exchange;
  const { isFixed = false, next } = answer;
  reply.header("vary", "accept, accept-encoding, authorization, origin");
  const form = exchange.form === "own" ? "json" : exchange.form;
  reply.type(formTypes[form][0] ?? "");
  const isQuestion = route.method === "GET";
  if (isQuestion) reply.header("cache-control", isFixed ? fixedCaching : currentCaching);
  const { start, rest } = await takeStart(formPieces(form, route, answer));
  const { request } = exchange;
  if (rest !== undefined) {
    if (isQuestion && isFixed && isKnown(exchange, longTagOf(exchange, form, answer, start))) {
      await rest.return?.();
      reply.code(304).send();
    } else if (request.method === "HEAD") {
      await rest.return?.();
      reply.send(streamOf([]));
    } else reply.send(streamOf(goOn(start, rest)));
    return;
  }
  sayNext(exchange, next?.());
  if (isQuestion && reply.statusCode === 200) {
    const etag = etagOf(start, form, "value" in answer ? answer.version : undefined);
    if (isKnown(exchange, etag)) {
      reply.code(304).send();
      return;
    }
  }
  reply.send(start);
}

/** Names the request for what comes behind a page. */
function sayNext(
  { request, reply }: Exchange,
  next: Readonly<Record<string, string | number>> | undefined,
): void {
  if (next === undefined) return;
  const url = new URL(request.url, "http://localhost");
  for (const [name, value] of Object.entries(next)) url.searchParams.set(name, String(value));
  reply.header("link", `<${url.pathname}${url.search}>; rel="next"`);
}

function streamOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Readable {
  return Readable.from(chunks, { objectMode: false });
}

function sendStream(
  reply: FastifyReply,
  { stream, contentType, status = 200, headers = {} }: StreamAnswer,
): void {
  reply.headers(headers);
  reply.code(status).header("cache-control", "no-store").type(contentType);
  reply.send(Readable.from(stream, { objectMode: false }));
}

type Pieces = AsyncIterator<Uint8Array>;

/** The whole answer when it is small, otherwise its beginning and what comes behind it. */
async function takeStart(
  pieces: Pieces,
): Promise<{ readonly start: Buffer; readonly rest: Pieces | undefined }> {
  const taken: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= wholeBytesMax) {
    const next = await pieces.next();
    if (next.done === true) return { start: Buffer.concat(taken), rest: undefined };
    taken.push(next.value);
    bytes += next.value.length;
  }
  return { start: Buffer.concat(taken), rest: pieces };
}

async function* goOn(start: Uint8Array, rest: Pieces): AsyncGenerator<Uint8Array> {
  try {
    yield start;
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return;
      yield next.value;
      await setImmediate();
    }
  } finally {
    // Where the caller has gone, what the pieces are read from is let go.
    await rest.return?.();
  }
}

function etagOf(body: Uint8Array, form: string, version: number | undefined): string {
  const digest = createHash("sha256").update(form).update(body).digest("base64url").slice(0, 22);
  return version === undefined ? `"${digest}"` : `"${version}.${digest}"`;
}

/**
 * The tag of an answer that is not put together before it is sent: what was asked as of which position says what it is, and
 * its beginning. It is weak, since content behind that may have been erased, as nothing else can change.
 */
function longTagOf(
  { request }: Exchange,
  form: string,
  { position }: Answer,
  start: Uint8Array,
): string {
  const hash = createHash("sha256").update(`${form} ${position} ${request.url}\n`);
  const digest = hash.update(start.subarray(0, wholeBytesMax)).digest("base64url").slice(0, 22);
  return `W/"${digest}"`;
}

/** Says the tag of the answer. @returns whether the caller has it already */
function isKnown({ request, reply }: Exchange, etag: string): boolean {
  const known = knownTag(request.headers["if-none-match"], etag);
  reply.header("etag", known ?? etag);
  return known !== undefined;
}

/** What is added to the tag of an answer when it is compressed: it is not the same bytes then. */
const encodingSuffix = /-(?:br|gzip)"$/;

/** The tag of an `If-None-Match` that means the answer, in whatever encoding the caller has it. */
function knownTag(header: string | undefined, etag: string): string | undefined {
  const tags = (header ?? "").split(",").map((part) => part.trim());
  if (tags.includes("*")) return etag;
  const known = tags.find((tag) => bare(tag).replace(encodingSuffix, '"') === bare(etag));
  return known === undefined || etag.startsWith("W/") ? known : bare(known);
}

/** The tag without the mark of a weak one: whether to send an answer again is decided without it (RFC 9110, 13.1.2). */
function bare(tag: string): string {
  return tag.replace(/^W\//, "");
}

/** Makes the tag of a compressed answer its own. */
export function tagEncoding(reply: FastifyReply): void {
  const [encoding, etag] = [reply.getHeader("content-encoding"), reply.getHeader("etag")];
  if (typeof encoding !== "string" || typeof etag !== "string" || encodingSuffix.test(etag)) return;
  reply.header("etag", etag.replace(/"$/, `-${encoding}"`));
}
