/** What the handler of a route gets of one request. */
import type { FastifyReply, FastifyRequest } from "fastify";

import type { Caller } from "./caller.ts";
import type { AnswerForm } from "./forms/negotiate.ts";
import type { Exchange, Services } from "./route.ts";

/** The parts of a request that were read by their shapes, and the form that its answer gets. */
export interface ReadParts {
  readonly params: unknown;
  readonly query: unknown;
  readonly form: AnswerForm;
}

/**
 * A class, and each service named: an object spread out of them for every request takes five kilobytes and as long as
 * Fastify does.
 */
export class RequestExchange implements Exchange {
  readonly store: Services["store"];
  readonly views: Services["views"];
  readonly settings: Services["settings"];
  readonly intake: Services["intake"];
  readonly streams: Services["streams"];
  readonly subscriptions: Services["subscriptions"];
  readonly readiness: Services["readiness"];
  readonly metrics: Services["metrics"];
  readonly params: undefined;
  readonly query: undefined;
  readonly body: undefined;
  readonly caller: Caller;
  readonly form: AnswerForm;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  #signal: AbortSignal | undefined;

  constructor(
    services: Services,
    request: FastifyRequest,
    reply: FastifyReply,
    { params, query, form }: ReadParts,
  ) {
    this.store = services.store;
    this.views = services.views;
    this.settings = services.settings;
    this.intake = services.intake;
    this.streams = services.streams;
    this.subscriptions = services.subscriptions;
    this.readiness = services.readiness;
    this.metrics = services.metrics;
    // Each route knows the shapes of its own.
    this.params = params as undefined;
    this.query = query as undefined;
    this.body = request.body as undefined;
    this.caller = request.caller;
    this.form = form;
    this.request = request;
    this.reply = reply;
  }

  /** Made when it is first asked for: an append has none, and it would be a tenth of what that costs. */
  get signal(): AbortSignal {
    this.#signal ??= whileCalled(this.request, this.reply);
    return this.#signal;
  }
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
