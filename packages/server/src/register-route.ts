/** Registers a declared route: what a request goes through before its handler, and what becomes of the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { admit } from "./access/admission.ts";
import { positionHeader, sendAnswer } from "./answer.ts";
import { negotiate, offersOf } from "./forms/negotiate.ts";
import { reachPosition } from "./instant.ts";
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
      const abort = new AbortController();
      const { ended } = request.caller;
      const onEnded = () => abort.abort(ended?.reason);
      ended?.addEventListener("abort", onEnded);
      reply.raw.once("close", () => {
        ended?.removeEventListener("abort", onEnded);
        abort.abort();
      });
      const exchange = {
        ...services,
        params: readPath(request.params as Parameters<PartReader>[0]),
        query: readQuery(request.query as Parameters<PartReader>[0]),
        body: request.body,
        caller: request.caller,
        signal: abort.signal,
        request,
        reply,
        form: negotiate(request.headers.accept, offers),
      } as unknown as Exchange;
      await reachPosition(exchange, services.settings.minPositionSeconds * 1000);
      const answer = await route.handle(exchange);
      return answer === undefined ? reply : sendAnswer(exchange, route, answer);
    },
  });
}
