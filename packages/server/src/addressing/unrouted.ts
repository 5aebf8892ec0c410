/** Answers what no route takes: addresses that are not there, or cannot be read, and methods that an address does not have. */
import { StoreError } from "@sennit/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { letGo } from "../access/admission.ts";
import { Addresses, pathOf } from "./addresses.ts";
import { malformedIn } from "./percent-encoding.ts";

/** Of a part of a path, percent-encoded: a ref may be 512 bytes, and a version. */
export const pathPartLengthMax = 2048;

/**
 * Sees to requests for which there is no route. They are told to everybody alike, since the routes are no secret. To be called
 * before the routes are declared.
 *
 * @param sendProblem answers with an error
 */
export function registerUnrouted(
  app: FastifyInstance,
  sendProblem: (request: FastifyRequest, reply: FastifyReply, error: StoreError) => unknown,
): void {
  const addresses = new Addresses();
  addresses.watch(app);
  app.setNotFoundHandler((request, reply) => {
    const { method } = request;
    const path = pathOf(request.url);
    const methods = addresses.methodsOf(path);
    letGo(request, reply);
    // A file that is not there is under an address that takes the method.
    if (methods.length === 0 || methods.includes(method)) {
      const error = new StoreError("route-not-found", `There is no ${method} ${path}.`);
      return sendProblem(request, reply, error);
    }
    const allow = [...methods, "OPTIONS"];
    if (method === "OPTIONS") return reply.code(204).header("allow", allow.join(", ")).send();
    const message = `${path} does not take ${method}, but ${allow.join(", ")}.`;
    const error = new StoreError("method-not-allowed", message, { details: { allow } });
    return sendProblem(request, reply, error);
  });
}

/** Why the router could not look a path up. */
export function unreadableAddress(code: string | undefined, target: string): StoreError {
  if (code === "FST_ERR_MAX_PARAM_LENGTH") {
    return pathError(`is longer than ${pathPartLengthMax} characters`, {
      place: "A part of the path",
      hint: "A record is named with at most 512 bytes.",
    });
  }
  const malformed = malformedIn(pathOf(target)) ?? "something";
  return pathError(`holds ${malformed}, which is no percent-encoded UTF-8`, {
    place: "The path",
    hint: "Encode each part of the path as UTF-8; a percent sign is %25.",
  });
}

function pathError(
  message: string,
  { place, hint }: { readonly place: string; readonly hint: string },
): StoreError {
  const details = { part: "path", issues: [{ pointer: "", message }] };
  return new StoreError("request-invalid", `${place} ${message}.`, { hint, details });
}
