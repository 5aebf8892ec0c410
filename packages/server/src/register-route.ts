/** Registers a declared route: what a request goes through before its handler, and what becomes of the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { admit } from "./access/admission.ts";
import { assertReadableQuery } from "./addressing/percent-encoding.ts";
import { positionHeader, sendAnswer } from "./answer.ts";
import { negotiate, offersOf } from "./forms/negotiate.ts";
import { minPositionHeader, reachPosition } from "./instant.ts";
import { RequestExchange } from "./request-exchange.ts";
import { noMembers, partReader, type PartReader } from "./request-parts.ts";
import type { Exchange, Route, Services } from "./route.ts";

type Given = Parameters<PartReader>[0];

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
    // Gives Fastify no promise: waiting for one again, and for the reply behind it, is dearer than what is waited for.
    handler: (request, reply) => {
      assertReadableQuery(request.url);
      const exchange = new RequestExchange(services, request, reply, {
        params: readPath(request.params as Given),
        query: readQuery(request.query as Given),
        form: negotiate(request.headers.accept, offers),
      });
      void serve(exchange, route);
    },
  });
}

/** Answers, or has what failed answered. It never rejects. */
async function serve(exchange: Exchange, route: Route): Promise<void> {
  const { request, reply, settings } = exchange;
  try {
    // Who needs no credential learns nothing of the log, not even how long it is.
    if (route.scope !== "none" && request.headers[minPositionHeader] !== undefined) {
      await reachPosition(exchange, settings.minPositionSeconds * 1000);
    }
    const answer = await route.handle(exchange);
    if (answer === undefined) return;
    const sending = sendAnswer(exchange, route, answer);
    if (sending !== undefined) await sending;
  } catch (error) {
    if (reply.sent) request.log.error({ err: error }, "A request failed after its answer.");
    else reply.send(error instanceof Error ? error : new Error(String(error)));
  }
}
