/** Sends an answer: its position, whether it may be kept, and its form. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import type { FastifyReply, FastifyRequest } from "fastify";

import type { Answer, StreamAnswer, ValueAnswer } from "./route.ts";

const positionHeader = "sennit-position";

/** What is asked as of a fixed instant stays as it is; anything else is asked again each time, which a 304 makes cheap. */
const fixedCaching = "private, max-age=31536000, immutable";
const currentCaching = "private, no-cache";

export function sendAnswer(request: FastifyRequest, reply: FastifyReply, answer: Answer): unknown {
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
  reply.header(positionHeader, String(answer.position));
  reply.code(answer.status ?? 200);
  return "stream" in answer ? sendStream(reply, answer) : sendValue(request, reply, answer);
}

function sendStream(reply: FastifyReply, { stream, contentType }: StreamAnswer): unknown {
  reply.header("cache-control", "no-store").type(contentType);
  return reply.send(Readable.from(stream, { objectMode: false }));
}

function sendValue(
  request: FastifyRequest,
  reply: FastifyReply,
  { value, version, isFixed = false, status = 200 }: ValueAnswer,
): unknown {
  const body = JSON.stringify(value);
  reply.type("application/json");
  if (request.method !== "GET" && request.method !== "HEAD") return reply.send(body);
  const digest = createHash("sha256").update(body).digest("base64url").slice(0, 22);
  const etag = version === undefined ? `"${digest}"` : `"${version}.${digest}"`;
  reply.header("etag", etag).header("cache-control", isFixed ? fixedCaching : currentCaching);
  if (status === 200 && matches(request.headers["if-none-match"], etag)) {
    return reply.code(304).send();
  }
  return reply.send(body);
}

/** Whether an `If-None-Match` names the tag. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((part) => ["*", etag, `W/${etag}`].includes(part.trim()));
}
