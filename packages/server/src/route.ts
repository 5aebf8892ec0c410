/** What a route is: its address, who may call it, the shapes of what it takes and gives, and what it does. */
import type { EmbeddedStore, Position } from "@sennit/core";
import type { Views } from "@sennit/projections";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static, TObject, TSchema } from "typebox";

import type { Caller } from "./caller.ts";
import type { Settings } from "./config/settings.ts";
import type { Scope } from "./scopes.ts";

/** What every route works with. */
export interface Services {
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly settings: Settings;
}

/** An answer in one piece: JSON, unless the caller asks for another form. */
export interface ValueAnswer {
  readonly value: unknown;
  /** The position it speaks for. */
  readonly position: Position;
  /** Asked as of an instant that never means another position: it may be kept for ever. Default false. */
  readonly isFixed?: boolean;
  /** Default 200. */
  readonly status?: number;
  /** Put before the digest in the ETag, for answers that are one version of a record. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The member of the value that is its list, for NDJSON and CSV. */
  readonly rows?: string;
}

/** An answer in pieces, of any length, sent as fast as it is taken. */
export interface StreamAnswer {
  readonly stream: AsyncIterable<string | Uint8Array>;
  readonly contentType: string;
  readonly position: Position;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answer = ValueAnswer | StreamAnswer;

/** The shapes of what a route takes. */
export interface RouteShape {
  readonly params?: TObject;
  readonly query?: TObject;
  /** Checked before the handler is called, unless the route has `checksBody`. */
  readonly body?: TSchema;
}

type ShapeOf<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

/** One request to a route. */
export interface Exchange<Shape extends RouteShape = RouteShape> extends Services {
  readonly params: ShapeOf<Shape["params"]>;
  readonly query: ShapeOf<Shape["query"]>;
  readonly body: ShapeOf<Shape["body"]>;
  readonly caller: Caller;
  /** Fires when the caller has gone, or its credential has ended. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  /** For the few routes that write to the socket themselves and return undefined. */
  readonly reply: FastifyReply;
}

/** A successful answer as the document tells it. */
interface DeclaredAnswer {
  readonly description: string;
  /** Undefined for an answer without a body. */
  readonly schema?: TSchema;
  /** Default: JSON and MessagePack. */
  readonly contentTypes?: readonly string[];
}

export interface Route<Shape extends RouteShape = RouteShape> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters as `:name`. */
  readonly url: string;
  /** Its name in the document and in generated clients. */
  readonly operationId: string;
  /** What a credential must allow; `none` asks for no credential. */
  readonly scope: Scope | "none";
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly shape: Shape;
  /** Whether the handler checks the body itself, with a better word on what is wrong than a schema has. Default false. */
  readonly checksBody?: boolean;
  /** Types of body it takes. Default: JSON. */
  readonly bodyTypes?: readonly string[];
  /** By status. */
  readonly answers: Readonly<Record<number, DeclaredAnswer>>;
  /** Statuses of problems it may answer with, beside those any route may. */
  readonly problems: readonly number[];
  /** @returns undefined when it has answered through the reply itself */
  readonly handle: (exchange: Exchange<Shape>) => Promise<Answer | undefined>;
}

/** Declares a route. */
export function defineRoute<const Shape extends RouteShape>(route: Route<Shape>): Route {
  return route;
}
