/** The Fastify instance: an explicit list of what is registered, and how a route is called. */
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";

import { StoreError, type EmbeddedStore } from "@sennit/core";
import type { Views } from "@sennit/projections";
import {
  fastify,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";

import { letGo, registerAdmission } from "./access/admission.ts";
import { auditRefusal } from "./access/audit.ts";
import { registerCrossOrigin } from "./access/cross-origin.ts";
import { openGatekeeper } from "./access/open-gatekeeper.ts";
import { RateLimits } from "./access/rate-limits.ts";
import { registerSecurityHeaders, securityHeaders } from "./access/security-headers.ts";
import { answerSocketError, registerHeaderChecks } from "./access/socket-errors.ts";
import { pathPartLengthMax, registerUnrouted, unreadableAddress } from "./addressing/unrouted.ts";
import { registerBodyTypes } from "./body/body-types.ts";
import { registerCompression } from "./compression.ts";
import { completeSettings } from "./config/resolve-settings.ts";
import type { Settings, SomeSettings } from "./config/settings.ts";
import { Connections } from "./connections.ts";
import { registerDocument } from "./document.ts";
import { toServerError } from "./fastify-errors.ts";
import {
  loggingOptions,
  registerRequestId,
  sayRequestId,
  type LogTarget,
} from "./operations/logging.ts";
import { problemHeaders, problemOf } from "./problem.ts";
import { registerRoute } from "./register-route.ts";
import type { Services } from "./route.ts";
import { allRoutes } from "./routes/index.ts";
import { openServices } from "./services.ts";

export interface BuildServerOptions {
  readonly store: EmbeddedStore;
  /** The store's, with the timeline among them. They and the store stay open when the server is closed. */
  readonly views: Views;
  /** Those not given have their defaults. */
  readonly settings?: SomeSettings;
  /** A credential that allows everything: what the discovery file tells the store's owner. Default: there is none. */
  readonly localToken?: string | undefined;
  /** Gets the log, a line of JSON at a time. Default: there is none. */
  readonly log?: LogTarget;
}

/**
 * A server over an open store. It does not listen yet; `inject` asks it without a socket.
 *
 * @throws `setting-invalid`, `file-unreadable` for a certificate that cannot be read
 */
export async function buildServer({
  store,
  views,
  settings: given = {},
  localToken,
  log,
}: BuildServerOptions): Promise<FastifyInstance> {
  const settings = completeSettings(given);
  const services = await openServices(store, views, settings);
  const { intake, metrics } = services;
  const safe = securityHeaders({
    isTls: settings.tlsCert !== undefined,
    isShared: settings.corsOrigins.length > 0,
  });
  const app: FastifyInstance = fastify({
    routerOptions: { maxParamLength: pathPartLengthMax },
    frameworkErrors: (error, request, reply) => {
      // No hook sees what the router could not read.
      reply.headers(safe);
      sayRequestId(request, reply);
      letGo(request, reply);
      void sendProblem(request, reply, unreadableAddress(error.code, request.raw.url ?? ""));
    },
    ...(await socketOptions(settings)),
    clientErrorHandler: (error, socket) => answerSocketError(app.log, error, socket),
    bodyLimit: settings.bodyBytesMax,
    ...loggingOptions(settings, log),
    // What is sent is taken as it is: nothing is dropped, made up or turned into another type in a body.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
  });
  registerRequestId(app);
  metrics.watch(app);
  endOnClose(app, services);
  app.server.maxConnections = settings.connectionsMax;
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, toServerError(error)));
  registerUnrouted(app, sendProblem);
  const gatekeeper = await openGatekeeper(app, { store, settings, localToken });
  registerAdmission(app, gatekeeper, new RateLimits(settings));
  registerHeaderChecks(app);
  registerSecurityHeaders(app, safe);
  await registerCrossOrigin(app, settings.corsOrigins);
  // Each route says which types of body it takes.
  app.removeAllContentTypeParsers();
  // Answers are sent as the readers give them: a serializer made from a schema would drop what it does not know.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  await registerCompression(app);
  await registerDocument(app);
  for (const route of allRoutes) {
    await app.register((scope, _options, done) => {
      if (route.shape.body !== undefined)
        registerBodyTypes(scope, route.bodyTypes, {
          intake,
          bytesMax: settings.bodyBytesMax,
        });
      registerRoute(scope, services, route);
      done();
    });
  }
  return app;
}

/** Sees to it that closing ends: streams, connections without a request, and after a time all that are left. */
function endOnClose(
  app: FastifyInstance,
  { settings: { tlsCert, shutdownSeconds }, streams, readiness, metrics }: Services,
): void {
  const connections = new Connections(app.server, tlsCert !== undefined);
  let limit: NodeJS.Timeout | undefined;
  app.addHook("preClose", async () => {
    readiness.close();
    limit = setTimeout(() => connections.destroy(), shutdownSeconds * 1000);
    await streams.close();
    connections.close();
  });
  app.addHook("onClose", () => {
    clearTimeout(limit);
    metrics.close();
  });
}

/** What Node's server is made with. */
async function socketOptions({
  headerBytesMax,
  headersSeconds,
  idleSeconds,
  tlsCert,
  tlsKey,
}: Settings): Promise<FastifyHttpOptions<Server>> {
  const sockets = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: headersSeconds * 1000,
    // A body may be sent for hours, as long as something of it arrives.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(headersSeconds * 500, 5000),
  };
  const connectionTimeout = idleSeconds * 1000;
  // Between requests a connection is idle, too.
  const idle = { connectionTimeout, keepAliveTimeout: connectionTimeout };
  if (tlsCert === undefined || tlsKey === undefined) return { ...idle, http: sockets };
  const [cert, key] = await Promise.all([readPem(tlsCert), readPem(tlsKey)]);
  // The two kinds of server differ in nothing that is used of them here.
  const handshakeTimeout = sockets.headersTimeout;
  const https = { ...sockets, cert, key, minVersion: "TLSv1.2", handshakeTimeout };
  return { ...idle, https } as unknown as FastifyHttpOptions<Server>;
}

function readPem(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new StoreError("file-unreadable", `Cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  });
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: StoreError): unknown {
  const problem = problemOf(error, request.id);
  if (problem.status >= 500) request.log.error({ err: error }, error.message);
  else auditRefusal(request, error, problem.status);
  for (const [name, value] of Object.entries(problemHeaders(problem))) reply.header(name, value);
  return reply.code(problem.status).type("application/problem+json").send(JSON.stringify(problem));
}
