/** Sends lines of NDJSON in requests that can each be sent again, and tells what became of every line. */
import type { IngestSummary, LineError, LineResult } from "@sennit/core";

import { paused, withPauses } from "./bursts.ts";
import { ClientError } from "./client-error.ts";
import { newId } from "./event-id.ts";
import { jsonLinesOf } from "./lines.ts";
import { failureOfProblem, type Problem } from "./problem.ts";
import { isPassing } from "./retry.ts";
import type { Transport } from "./transport.ts";
import { UploadCutter, type Upload } from "./upload-cutter.ts";

export interface IngestOptions {
  /** All or nothing, in one batch. Default false. */
  readonly atomic?: boolean | undefined;
  /** Of an atomic batch. Default: a new one. */
  readonly idempotencyKey?: string | undefined;
  /** Lines to a batch, 1-10,000. Default 1000. */
  readonly batchEvents?: number | undefined;
  /** Of events that name none. */
  readonly actor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a server tells at the end of a request. */
interface Ending {
  readonly summary?: Omit<IngestSummary, "errors">;
  readonly error?: Problem;
}

interface Outcome {
  readonly results: readonly LineResult[];
  readonly summary: Ending["summary"];
  readonly failure: ClientError | undefined;
}

const batchEventsMax = 10_000;
/** Bytes of one request, except for a line that is longer and for what is to be stored as a whole. */
const uploadBytesMax = 4 * 1024 * 1024;
/** As JSON, no batch that a store takes is larger. */
const wholeBytesMax = 64 * 1024 * 1024;
const errorsMax = 1000;
/** When nothing more comes, whole lines wait so long for a batch to become full. */
const lingerMs = 100;
/** They wait no longer than this, however steadily more comes. */
const heldMsMax = 200;

/**
 * Sends every line, a batch or what has come when the stream pauses. Gives what became of them in their order, request by
 * request, and reads on when it is asked for more.
 * An event without an id gets one, so that a request whose answer is lost can be sent again. Memory: one request.
 *
 * @throws what reading throws; `argument-invalid`, `batch-too-large`, `server-unreachable`, and what the server tells that is
 * about no line, after the results of the lines before
 */
export async function* ingestLines(
  transport: Transport,
  chunks: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): AsyncGenerator<readonly LineResult[], IngestSummary> {
  const { atomic = false, batchEvents = 1000 } = options;
  if (!Number.isSafeInteger(batchEvents) || batchEvents < 1 || batchEvents > batchEventsMax) {
    throw new ClientError("argument-invalid", `batchEvents must be 1 to ${batchEventsMax}.`, {
      details: { argument: "batchEvents", value: batchEvents },
    });
  }
  const tally = new Tally();
  const cutter = atomic
    ? new UploadCutter({ linesMax: Infinity, bytesMax: Infinity, withIds: false })
    : new UploadCutter({ linesMax: batchEvents, bytesMax: uploadBytesMax, withIds: true });
  const send = async function* send(upload: Upload): AsyncGenerator<readonly LineResult[]> {
    const { results, summary, failure } = await sendUpload(transport, upload, options);
    tally.add(results);
    // Of lines that are refused because of another, nothing is told one by one.
    if (atomic && summary !== undefined) tally.refused = summary.refused;
    if (results.length > 0) yield results;
    if (failure !== undefined) throw failure;
  };
  const waitMs = (): number | undefined => {
    const { heldMs } = cutter;
    if (atomic || heldMs === undefined) return undefined;
    return Math.max(0, Math.min(lingerMs, heldMsMax - heldMs));
  };
  for await (const chunk of withPauses(chunks, waitMs)) {
    if (chunk === paused) {
      yield* send(cutter.wholeLines());
      continue;
    }
    for (const upload of cutter.cut(chunk)) yield* send(upload);
    if (cutter.bytes > wholeBytesMax) throw tooLarge();
  }
  const rest = cutter.rest();
  if (rest !== undefined) yield* send(rest);
  return tally.summary(transport.head);
}

async function sendUpload(
  transport: Transport,
  { body, firstLine, ownIds }: Upload,
  { atomic = false, idempotencyKey = newId(), batchEvents, actor, signal }: IngestOptions,
): Promise<Outcome> {
  const ask = {
    method: "POST",
    path: ["v1", "events"],
    query: { atomic: atomic || undefined, batch: atomic ? undefined : batchEvents, actor },
    headers: {
      "content-type": "application/x-ndjson",
      accept: "application/x-ndjson",
      ...(atomic && { "idempotency-key": idempotencyKey }),
    },
    body,
    isRepeatable: true,
    signal,
  } as const;
  return transport.read(ask, async (response) => {
    const results: LineResult[] = [];
    if (response.body === null) throw new ClientError("server-unreachable", "There is no answer.");
    for await (const told of jsonLinesOf<LineResult | Ending>(response.body)) {
      if ("line" in told) {
        const line = told.line + firstLine - 1;
        // With an id that was made for this request, it was stored by it, when it was sent before.
        const isOwn = told.status === "duplicate" && ownIds.has(told.eventId);
        results.push(isOwn ? { ...told, line, status: "stored" } : { ...told, line });
        continue;
      }
      if (told.summary !== undefined) transport.reached(told.summary.head);
      const failure = told.error === undefined ? undefined : failureOfProblem(told.error);
      if (failure !== undefined && isPassing(failure)) throw failure;
      return { results, summary: told.summary, failure };
    }
    throw new ClientError("server-unreachable", "The answer breaks off before its end.");
  });
}

function tooLarge(): ClientError {
  return new ClientError(
    "batch-too-large",
    `All or nothing is for at most ${wholeBytesMax} bytes of JSON.`,
    {
      hint: "Do without it: every event with an id can safely be sent again.",
      details: { bytesMax: wholeBytesMax },
    },
  );
}

/** Counts what became of lines. */
class Tally {
  readonly #errors: LineError[] = [];
  #stored = 0;
  #duplicates = 0;
  refused = 0;

  add(results: readonly LineResult[]): void {
    for (const result of results) {
      if (result.status !== "refused") {
        if (result.status === "stored") this.#stored += 1;
        else this.#duplicates += 1;
      } else {
        this.refused += 1;
        const { line, code, message, pointer, hint } = result;
        if (this.#errors.length < errorsMax) {
          this.#errors.push({ line, code, message, pointer, hint });
        }
      }
    }
  }

  summary(head: number): IngestSummary {
    return {
      stored: this.#stored,
      duplicates: this.#duplicates,
      refused: this.refused,
      head,
      errors: this.#errors,
    };
  }
}
