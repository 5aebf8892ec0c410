/** The types of body there are, and what each is read into. */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";

import { StoreError } from "@sennit/core";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { collectBody, tooLarge } from "./collect-body.ts";
import { decodedBody } from "./encoded-body.ts";
import { uncountedBytes, type Hold, type Intake } from "./intake.ts";
import { readJsonBody } from "./json-body.ts";

/** Lines that are read while they arrive. */
export class LineBody {
  readonly stream: Readable;

  constructor(stream: Readable) {
    this.stream = stream;
  }
}

/** One CloudEvent with its attributes, or several. */
export class CloudEventBody {
  readonly value: unknown;
  readonly isBatch: boolean;

  constructor(value: unknown, isBatch: boolean) {
    this.value = value;
    this.isBatch = isBatch;
  }
}

export const jsonType = "application/json";
export const mergePatchType = "application/merge-patch+json";
export const linesType = "application/x-ndjson";
export const cloudEventType = "application/cloudevents+json";
export const cloudEventBatchType = "application/cloudevents-batch+json";

const jsonTypes: Readonly<Record<string, (value: unknown) => unknown>> = {
  [jsonType]: (value) => value,
  [mergePatchType]: (value) => value,
  [cloudEventType]: (value) => new CloudEventBody(value, false),
  [cloudEventBatchType]: (value) => new CloudEventBody(value, true),
};

export interface BodyOptions {
  readonly intake: Intake;
  /** Of a body that is taken as a whole. */
  readonly bytesMax: number;
}

/** Has a scope's routes take bodies of these types; of others it says `media-type-unsupported` without reading them. */
export function registerBodyTypes(
  scope: FastifyInstance,
  types: readonly string[] | undefined,
  options: BodyOptions,
): void {
  const holds = new WeakMap<FastifyRequest, Hold>();
  scope.addHook("onRequest", (request, reply, done) => {
    if (mayBeLarge(request.headers)) {
      const hold = options.intake.hold();
      holds.set(request, hold);
      reply.raw.once("close", () => hold.release());
    }
    done();
  });
  const taken = types ?? [jsonType];
  for (const type of taken) {
    if (type === linesType) registerLines(scope);
    else registerJson(scope, type, options.bytesMax, holds);
  }
  refuseOthers(scope, taken);
}

/** Tools that send what they are given, such as curl, name a type that nobody chose: the refusal says which it was. */
function refuseOthers(scope: FastifyInstance, taken: readonly string[]): void {
  scope.addContentTypeParser("*", ({ headers }, _payload, done) => {
    const type = headers["content-type"] ?? "";
    const message =
      type === "" ? "The body comes without its type." : `No body of type ${type} is taken here.`;
    const hint = `Say what the body is, with the header Content-Type: ${taken.join(" or ")}`;
    const details = { header: "Content-Type", value: type, types: taken };
    done(new StoreError("media-type-unsupported", message, { hint, details }));
  });
}

function mayBeLarge(headers: IncomingHttpHeaders): boolean {
  const isCounted = !(Number(headers["content-length"]) <= uncountedBytes);
  return isCounted || headers["content-encoding"] !== undefined;
}

function registerLines(scope: FastifyInstance): void {
  scope.addContentTypeParser(linesType, (request, payload, done) => {
    try {
      done(null, new LineBody(decodedBody(request, payload)));
    } catch (error) {
      done(error as Error);
    }
  });
}

function registerJson(
  scope: FastifyInstance,
  type: string,
  bytesMax: number,
  holds: WeakMap<FastifyRequest, Hold>,
): void {
  const wrap = jsonTypes[type];
  if (wrap === undefined) throw new TypeError(`no body is read as ${type}`);
  scope.addContentTypeParser(type, (request, payload, done) => {
    const read = (error: Error | null, bytes?: Buffer): void => {
      if (error !== null || bytes === undefined) {
        done(error);
        return;
      }
      let value: unknown;
      try {
        value = wrap(readJsonBody(bytes));
      } catch (failure) {
        done(failure as Error);
        return;
      }
      done(null, value);
    };
    try {
      if (Number(request.headers["content-length"]) > bytesMax) throw tooLarge(bytesMax);
      collectBody(decodedBody(request, payload), { bytesMax, hold: holds.get(request) }, read);
    } catch (error) {
      done(error as Error);
    }
  });
}
