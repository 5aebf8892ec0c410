/** Stores a body of lines while it arrives, and tells what became of each while it does. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";

import {
  ingest,
  StoreError,
  toStoreError,
  type ErrorCode,
  type LineResult,
  type NewEvent,
} from "@sennit/core";

import { auditRefusal, auditRefusedLines } from "../access/audit.ts";
import type { LineBody } from "../body/body-types.ts";
import { bodyFailure } from "../body/encoded-body.ts";
import { assertMayAppend } from "../caller.ts";
import { problemOf } from "../problem.ts";
import type { Exchange, StreamAnswer } from "../route.ts";
import { idempotencyKeyOf } from "./idempotency-key.ts";

/** Which lines are told of; the summary comes in any case. */
type ResultChoice = "all" | "refused" | "none";

export interface LinesQuery {
  readonly atomic?: boolean;
  readonly batch?: number;
  readonly actor?: string;
  readonly results?: ResultChoice;
}

/** Lines wait no longer than this for others to be stored with, when their sender pauses. */
const lingerMs = 5;

/** After a failure, what is still sent is thrown away for so long: a sender that is cut off does not read why. */
const discardMs = 2000;

/** @throws `too-many-pending-appends`, `request-invalid` */
export function ingestLines(
  exchange: Exchange,
  { stream }: LineBody,
  query: LinesQuery,
): StreamAnswer {
  const { request, store, intake } = exchange;
  const idempotencyKey = idempotencyKeyOf(request.headers);
  if (idempotencyKey !== undefined && query.atomic !== true) {
    throw new StoreError(
      "request-invalid",
      "Lines are stored in many batches, and an Idempotency-Key is for one.",
      {
        hint: "Give every event an id, or send the lines with atomic=true.",
        details: { header: "Idempotency-Key" },
      },
    );
  }
  const end = intake.takeStream();
  exchange.reply.raw.once("close", end);
  return {
    stream: results(exchange, stream, query, idempotencyKey),
    contentType: "application/x-ndjson",
    position: store.head,
    // What is left of a body that was not read to its end must not be taken for the next request.
    headers: { connection: "close" },
  };
}

async function* results(
  { store, caller, request }: Exchange,
  stream: Readable,
  { atomic, batch, actor, results: choice = "all" }: LinesQuery,
  idempotencyKey: string | undefined,
): AsyncGenerator<string> {
  // Who is still sending after a failure shall read of it, so the stream is not destroyed with its iterator.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const lines = ingest(store, chunks, {
    atomic,
    batchEvents: batch,
    idempotencyKey,
    lingerMs,
    prepare: (events) => assertMayAppend(caller, withActor(events, actor), store),
  });
  const refused = new Map<ErrorCode, number>();
  try {
    for (;;) {
      const { done, value } = await lines.next();
      if (done === true) {
        const { errors: _told, ...summary } = value;
        yield `${JSON.stringify({ summary })}\n`;
        return;
      }
      countRefused(value, refused);
      const told = toldLines(value, choice);
      if (told !== "") yield told;
    }
  } catch (error) {
    const failure = stream.errored === null ? toStoreError(error) : bodyFailure(error);
    // Who has gone reads no answer, and what was stored for it stays.
    if (failure.code === "aborted") return;
    const problem = problemOf(failure, request.id);
    if (problem.status >= 500) request.log.error({ err: failure }, failure.message);
    else auditRefusal(request, failure, problem.status);
    yield `${JSON.stringify({ error: problem })}\n`;
    await discard(stream);
  } finally {
    auditRefusedLines(request, refused);
  }
}

function countRefused(lines: readonly LineResult[], refused: Map<ErrorCode, number>): void {
  for (const line of lines) {
    if (line.status === "refused") refused.set(line.code, (refused.get(line.code) ?? 0) + 1);
  }
}

function withActor(events: readonly NewEvent[], actor: string | undefined): readonly NewEvent[] {
  if (actor === undefined) return events;
  return events.map((event) => ({ ...event, actor: event.actor ?? actor }));
}

function toldLines(lines: readonly LineResult[], choice: ResultChoice): string {
  if (choice === "none") return "";
  let text = "";
  for (const line of lines) {
    if (choice === "all" || line.status === "refused") text += `${JSON.stringify(line)}\n`;
  }
  return text;
}

async function discard(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  const stop = new AbortController();
  const ended = new Promise<void>((resolve) => {
    stream.once("close", resolve).once("end", resolve);
  });
  stream.on("error", () => undefined).resume();
  const late = sleep(discardMs, undefined, { signal: stop.signal, ref: false });
  await Promise.race([ended, late]);
  stop.abort();
  await late.catch(() => undefined);
}
