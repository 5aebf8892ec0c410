/** Lets requests to a route, or refuses them: who it is first, then what that one may do. */
import { isStoreError, StoreError } from "@sennit/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { localCaller, type Caller } from "../caller.ts";
import type { Route } from "../route.ts";
import type { Scope } from "../scopes.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import type { RateLimits } from "./rate-limits.ts";

declare module "fastify" {
  interface FastifyInstance {
    gatekeeper: Gatekeeper;
    rateLimits: RateLimits;
  }
  interface FastifyRequest {
    /** Set before the handler of a route. */
    caller: Caller;
  }
}

/** Prepares the instance for routes that `admit`. */
export function registerAdmission(
  app: FastifyInstance,
  gatekeeper: Gatekeeper,
  rateLimits: RateLimits,
): void {
  app.decorate("gatekeeper", gatekeeper);
  app.decorate("rateLimits", rateLimits);
  app.decorateRequest("caller");
}

/**
 * What is done before anything but the address of a request is looked at, so that who is refused learns nothing.
 *
 * @throws `unauthenticated`, `forbidden`, `rate-limited`, `keys-unreadable`
 */
export function admit({
  scope,
}: Route): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    if (scope === "none") {
      request.caller = nobody;
      return;
    }
    const { gatekeeper, rateLimits } = request.server;
    try {
      request.caller = await gatekeeper.callerOf(request);
      rateLimits.takeRequest(request.caller, request, reply);
      if (!request.caller.scopes.has(scope)) throw lacking(scope);
    } catch (error) {
      letGo(request, reply);
      if (isStoreError(error) && error.code === "unauthenticated") rateLimits.takeRefusal(request);
      throw error;
    }
  };
}

function lacking(scope: Scope): StoreError {
  return new StoreError("forbidden", `This needs a credential with the scope ${scope}.`, {
    details: { scope },
  });
}

/** Nobody waits for the body of a request that was refused: the connection ends with the answer. */
function letGo({ headers }: FastifyRequest, reply: FastifyReply): void {
  const length = headers["content-length"] ?? "0";
  const hasBody = headers["transfer-encoding"] !== undefined || length !== "0";
  if (hasBody) reply.header("connection", "close");
}

/** Whoever calls a route that asks for no credential. */
const nobody: Caller = { ...localCaller, id: "nobody", scopes: new Set() };
