/** Registers a declared route: what a request goes through before its handler, and what becomes of the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { admit } from "./access/admission.ts";
import { positionHeader, sendAnswer } from "./answer.ts";
import { negotiate, offersOf } from "./forms/negotiate.ts";
import { minPositionHeader, reachPosition } from "./instant.ts";
import { noMembers, partReader, type PartReader } from "./request-parts.ts";
import type { Exchange, Route, Services } from "./route.ts";

export function registerRoute(app: FastifyInstance, services: Services, route: Route): void {
  const { params, query, body } = route.shape;
  const readPath = partReader("path", params ?? noMembers);
  const readQuery = partReader("query", query ?? noMembers);
  const offers = offersOf(route);
  const sayPosition = (_request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    if (route.scope !== "none") reply.header(positionHeader, String(services.store.head));
    done();
  };
  app.route({
    method: route.method,
    url: route.url,
    schema: { ...(body !== undefined && route.checksBody !== true && { body }) },
    ...(route.method !== "GET" && { compress: false }),
    // Who may not ask learns nothing, not even how long the log is.
    onRequest: [admit(route), sayPosition],
    handler: async (request, reply) => {
      let signal: AbortSignal | undefined;
      const exchange = {
        ...services,
        params: readPath(request.params as Parameters<PartReader>[0]),
        query: readQuery(request.query as Parameters<PartReader>[0]),
        body: request.body,
        caller: request.caller,
        // Made when it is first asked for: an append has none, and it would be a tenth of what that costs.
        get signal() {
          signal ??= whileCalled(request, reply);
          return signal;
        },
        request,
        reply,
        form: negotiate(request.headers.accept, offers),
      } as unknown as Exchange;
      // Who needs no credential learns nothing of the log, not even how long it is.
      if (route.scope !== "none" && request.headers[minPositionHeader] !== undefined) {
        await reachPosition(exchange, services.settings.minPositionSeconds * 1000);
      }
      const answer = await route.handle(exchange);
      return answer === undefined ? reply : sendAnswer(exchange, route, answer);
    },
  });
}

/** Fires when the caller has gone or has been answered, or its credential has ended. */
function whileCalled({ caller: { ended } }: FastifyRequest, { raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  if (raw.closed || ended?.aborted === true) {
    abort.abort(ended?.reason);
    return abort.signal;
  }
  const onEnded = () => abort.abort(ended?.reason);
  ended?.addEventListener("abort", onEnded);
  raw.once("close", () => {
    ended?.removeEventListener("abort", onEnded);
    abort.abort();
  });
  return abort.signal;
}
