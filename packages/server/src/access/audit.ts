/** Says in the server's log what was refused: who, what, why. Neither content nor secrets. */
import type { ErrorCode, StoreError } from "@sennit/core";
import type { FastifyRequest } from "fastify";

import type { Caller } from "../caller.ts";

/** Questions that fail for what was asked are nobody's business; that somebody was not let in is. */
function isAudited(method: string, { category, code }: StoreError): boolean {
  const isWrite = method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
  return isWrite || category === "denied" || code === "rate-limited";
}

/** Logs, at the level `warn`, that a request was refused. */
export function auditRefusal(request: FastifyRequest, error: StoreError, status: number): void {
  const { method } = request;
  if (!isAudited(method, error)) return;
  const { reason, scope } = error.details;
  request.log.warn(
    {
      audit: {
        ...senderOf(request),
        status,
        code: error.code,
        ...(typeof reason === "string" && { reason }),
        ...(typeof scope === "string" && { scope }),
      },
    },
    "refused",
  );
}

/** Logs, at the level `warn`, that lines of a body were refused: how many with which code, once for all of them. */
export function auditRefusedLines(
  request: FastifyRequest,
  refused: ReadonlyMap<ErrorCode, number>,
): void {
  if (refused.size === 0) return;
  const lines = Object.fromEntries(refused);
  request.log.warn({ audit: { ...senderOf(request), status: 200, lines } }, "refused");
}

function senderOf(request: FastifyRequest): Readonly<Record<string, string | null>> {
  const caller = request.caller as Caller | undefined;
  return {
    caller: caller?.id ?? null,
    actor: caller?.actor ?? null,
    address: request.ip,
    method: request.method,
    // The pattern, since the path itself may hold what was sent.
    route: request.routeOptions.url ?? null,
  };
}
