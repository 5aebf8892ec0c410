/** The log: lines of JSON or text with the request's id and the caller's trace; no credentials, bodies or parameters. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from "fastify";

import type { Settings } from "../config/settings.ts";
import { textLine } from "./text-line.ts";

/** What log lines are written to, such as a stream. */
export interface LogTarget {
  write(line: string): unknown;
}

const requestIdHeader = "x-request-id";
/** An id of the caller's is taken when it can do no harm in a log. */
const requestIdForm = /^[\w.:-]{1,128}$/;
/** W3C Trace Context: version, trace, span and flags. */
const traceparentForm = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-.*)?$/;

/** Options of the instance. @param log default: there is no log */
export function loggingOptions(
  { logLevel, logFormat, noRequestLog }: Settings,
  log: LogTarget | undefined,
): Pick<
  FastifyServerOptions,
  "genReqId" | "requestIdHeader" | "logController" | "childLoggerFactory" | "loggerInstance"
> {
  const write = (line: string): void => {
    log?.write(logFormat === "text" ? textLine(line) : line);
  };
  return {
    requestIdHeader: false,
    genReqId: requestIdOf,
    logController: new RequestLog(noRequestLog || log === undefined),
    // Without a log Fastify makes no logger for a request either.
    ...(log !== undefined && {
      childLoggerFactory: (logger, bindings, options, request) =>
        logger.child({ ...bindings, ...traceOf(request) }, options),
      logger: {
        level: logLevel,
        stream: { write },
        base: null,
        timestamp: () => `,"time":"${new Date().toISOString()}"`,
        formatters: { level: (level: string) => ({ level }) },
      },
    }),
  };
}

/** Says the id of a request in its answer. */
export function registerRequestId(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    sayRequestId(request, reply);
    done();
  });
}

export function sayRequestId(request: FastifyRequest, reply: FastifyReply): void {
  reply.header(requestIdHeader, request.id);
}

function requestIdOf({ headers }: { readonly headers: IncomingMessage["headers"] }): string {
  const given = headers[requestIdHeader];
  return typeof given === "string" && requestIdForm.test(given) ? given : randomUUID();
}

function traceOf({ headers }: IncomingMessage): { trace_id?: string; span_id?: string } {
  const { traceparent } = headers;
  const [, trace = "", span = ""] = traceparentForm.exec(String(traceparent ?? "")) ?? [];
  const isNone = /^0*$/.test(trace) || /^0*$/.test(span);
  return isNone ? {} : { trace_id: trace, span_id: span };
}

/** One line for each request that was answered. The address is that of the route: a path or a query may name anything. */
class RequestLog extends LogController {
  constructor(isOff: boolean) {
    super({ disableRequestLogging: isOff, requestIdLogLabel: "requestId" });
  }

  override incomingRequest(): void {
    // Told when it is answered.
  }

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    if (this.isLogDisabled(request)) return;
    const { method, routeOptions, caller } = request;
    const line = {
      method,
      route: routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 100) / 100,
      caller: (caller as { readonly id?: string } | undefined)?.id ?? null,
      ...(error !== null && error !== undefined && { err: error }),
    };
    reply.log.info(line, "request");
  }
}
