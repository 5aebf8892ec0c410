/** Answers what never became a request: bytes that are no HTTP, headers that are too large or never end. */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { StoreError } from "@sennit/core";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

import { problemOf } from "../problem.ts";

/** Headers of a request, each time it is there counted. Node keeps twice as many, so that what is too many is seen. */
const headersMax = 100;

interface SocketFailure {
  readonly code?: string;
}

function storeErrorOf({ code }: SocketFailure): StoreError {
  if (code === "HPE_HEADER_OVERFLOW") return headersTooLarge();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new StoreError("request-timeout", "The request's headers did not arrive in time.");
  }
  return new StoreError("request-invalid", "This is no HTTP request.");
}

function headersTooLarge(): StoreError {
  return new StoreError("headers-too-large", "The request has too many or too large headers.");
}

/** Writes the problem to the bare socket and ends it. */
export function answerSocketError(
  log: FastifyBaseLogger,
  error: Error & SocketFailure,
  socket: Socket & { readonly secureConnecting?: boolean },
): void {
  // What is not secured by TLS yet would keep an answer, and itself, for as long as the other side likes.
  const isUnsecured = socket.secureConnecting === true;
  // The other side has gone, or an answer is on its way already.
  if (isUnsecured || error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(storeErrorOf(error), randomUUID());
  const address = socket.remoteAddress ?? null;
  log.debug({ code: error.code ?? null, address, requestId: problem.instance }, "no request");
  const body = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  // Who goes on sending is not listened to.
  socket.once("finish", () => socket.destroySoon());
}

/**
 * Refuses requests with more headers than anybody needs, instead of dropping those beyond as Node does, and those that name
 * two hosts, of which a proxy may take the other (RFC 9112 section 3.2).
 */
export function registerHeaderChecks(app: FastifyInstance): void {
  app.server.maxHeadersCount = headersMax * 2;
  app.addHook("onRequest", (request, _reply, done) => {
    const { rawHeaders } = request.raw;
    if (rawHeaders.length > headersMax * 2) done(headersTooLarge());
    else if (hostsIn(rawHeaders) > 1) {
      done(new StoreError("request-invalid", "The request names several hosts."));
    } else done();
  });
}

function hostsIn(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts;
}
