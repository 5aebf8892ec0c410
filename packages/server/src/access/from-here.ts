/** Whether a request without a credential was sent by a program on this machine, and not by a page in somebody's browser. */
import type { IncomingHttpHeaders } from "node:http";

import { StoreError } from "@sennit/core";
import type { FastifyRequest } from "fastify";

import { isLoopback } from "./loopback.ts";
import { unauthenticated } from "./unauthenticated.ts";

/** What a proxy adds: then the request comes from elsewhere, whatever the socket says. */
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
const changelessMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * @param allowed origins whose pages may write all the same
 * @throws `unauthenticated` for a request from elsewhere; `forbidden` for one that names another host, as a page does whose
 * name was made to mean this machine, or that a page of another origin sends
 */
export function assertFromHere(request: FastifyRequest, allowed: readonly string[]): void {
  const { headers, method } = request;
  const isProxied = isAnyGiven(headers);
  if (isProxied || !isLoopback(request.socket.remoteAddress ?? "")) {
    throw unauthenticated("missing", "From elsewhere this needs a credential.");
  }
  const { host = "", origin } = headers;
  if (!isLoopback(nameOf(host))) {
    throw new StoreError("forbidden", "The Host of the request is not this machine.", {
      hint: "Without a credential, call the server localhost, 127.0.0.1 or [::1].",
      details: { header: "Host" },
    });
  }
  if (changelessMethods.has(method)) return;
  if (origin !== undefined && allowed.includes(origin)) return;
  const isForeign = origin !== undefined && origin !== `${request.protocol}://${host}`;
  if (!isForeign && headers["sec-fetch-site"] !== "cross-site") return;
  throw new StoreError("forbidden", "A page of another origin may change nothing here.", {
    hint: "Without a credential, only programs and pages of this server may write.",
    details: { header: "Origin" },
  });
}

/** The name in a Host header: all but the port. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, "");
}

function isAnyGiven(headers: IncomingHttpHeaders): boolean {
  for (const name of proxyHeaders) if (headers[name] !== undefined) return true;
  return false;
}
