/** Lets requests to a route, or refuses them: who it is first, then what that one may do. */
import { StoreError } from "@sennit/core";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { localCaller, type Caller } from "../caller.ts";
import type { Route } from "../route.ts";
import type { Gatekeeper } from "./gatekeeper.ts";

declare module "fastify" {
  interface FastifyInstance {
    gatekeeper: Gatekeeper;
  }
  interface FastifyRequest {
    /** Set before the handler of a route. */
    caller: Caller;
  }
}

/** Prepares the instance for routes that `admit`. */
export function registerAdmission(app: FastifyInstance, gatekeeper: Gatekeeper): void {
  app.decorate("gatekeeper", gatekeeper);
  app.decorateRequest("caller");
}

/**
 * What is done before anything but the address of a request is looked at, so that who is refused learns nothing.
 *
 * @throws `unauthenticated`, `forbidden`, `keys-unreadable`
 */
export function admit({ scope }: Route): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    if (scope === "none") {
      request.caller = nobody;
      return;
    }
    request.caller = await request.server.gatekeeper.callerOf(request);
    if (request.caller.scopes.has(scope)) return;
    throw new StoreError("forbidden", `This needs a credential with the scope ${scope}.`, {
      details: { scope },
    });
  };
}

/** Whoever calls a route that asks for no credential. */
const nobody: Caller = { ...localCaller, id: "nobody", scopes: new Set() };
