/** Lets requests to a route, or refuses them: who it is first, then what that one may do. */
import { isStoreError, StoreError } from "@sennit/core";
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";

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
export function admit({ scope }: Route): onRequestHookHandler {
  if (scope === "none") {
    return (request, _reply, done) => {
      request.caller = nobody;
      done();
    };
  }
  return (request, reply, done) => {
    let refusal: Error | undefined;
    try {
      const caller = request.server.gatekeeper.callerOf(request);
      if (caller instanceof Promise) {
        void letInLater(caller, scope, request, reply, done);
        return;
      }
      letIn(caller, scope, request, reply);
    } catch (error) {
      refusal = refusalOf(error, request, reply);
    }
    done(refusal);
  };
}

/** It never rejects. */
async function letInLater(
  caller: Promise<Caller>,
  scope: Scope,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (refusal?: Error) => void,
): Promise<void> {
  let refusal: Error | undefined;
  try {
    letIn(await caller, scope, request, reply);
  } catch (error) {
    refusal = refusalOf(error, request, reply);
  }
  done(refusal);
}

/** @throws `forbidden`, `rate-limited` */
function letIn(caller: Caller, scope: Scope, request: FastifyRequest, reply: FastifyReply): void {
  request.caller = caller;
  request.server.rateLimits.takeRequest(caller, request, reply);
  if (!caller.scopes.has(scope)) throw lacking(scope);
}

/** What is told to who is not let in. */
function refusalOf(error: unknown, request: FastifyRequest, reply: FastifyReply): Error {
  letGo(request, reply);
  try {
    const isUnknown = isStoreError(error) && error.code === "unauthenticated";
    if (isUnknown) request.server.rateLimits.takeRefusal(request);
  } catch (limited) {
    return limited as Error;
  }
  return error as Error;
}

function lacking(scope: Scope): StoreError {
  return new StoreError("forbidden", `This needs a credential with the scope ${scope}.`, {
    details: { scope },
  });
}

/** Nobody waits for the body of a request that was refused: the connection ends with the answer. */
export function letGo({ headers }: FastifyRequest, reply: FastifyReply): void {
  const length = headers["content-length"] ?? "0";
  const hasBody = headers["transfer-encoding"] !== undefined || length !== "0";
  if (hasBody) reply.header("connection", "close");
}

/** Whoever calls a route that asks for no credential. */
const nobody: Caller = { ...localCaller, id: "nobody", scopes: new Set() };
