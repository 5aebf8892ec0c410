/** Gathers the bytes of a body, as many as may be. */
import type { Readable } from "node:stream";

import { StoreError } from "@sennit/core";
import type { FastifyRequest } from "fastify";

import { bodyFailure } from "./encoded-body.ts";
import type { Hold } from "./intake.ts";

type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Gives the whole body, or why it was not taken: `body-too-large`, `too-many-pending-appends`, `aborted`, or the
 * `StoreError` the stream failed with.
 *
 * @param hold counts the bytes; undefined for a body that is too small to count
 */
export function collectBody(
  request: FastifyRequest,
  payload: Readable,
  { bytesMax, hold }: { readonly bytesMax: number; readonly hold: Hold | undefined },
  done: Done,
): void {
  if (Number(request.headers["content-length"]) > bytesMax) {
    done(tooLarge(bytesMax));
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish: Done = (error, body) => {
    payload.off("data", onData);
    payload.off("end", onEnd);
    payload.off("error", onError);
    payload.off("close", onClose);
    // Nobody listens any more, and a failure that comes later must not end the process.
    if (error !== null) payload.on("error", () => undefined);
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      finish(tooLarge(bytesMax));
      return;
    }
    try {
      hold?.raiseTo(bytes);
    } catch (error) {
      finish(error as Error);
      return;
    }
    chunks.push(chunk);
  };
  const onEnd = (): void => {
    const [first] = chunks;
    finish(null, chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes));
  };
  const onError = (error: Error): void => {
    finish(bodyFailure(error));
  };
  const onClose = (): void => finish(bodyFailure(new Error("closed")));
  payload.on("data", onData);
  payload.on("end", onEnd);
  payload.on("error", onError);
  payload.on("close", onClose);
}

function tooLarge(bytesMax: number): StoreError {
  return new StoreError(
    "body-too-large",
    `A body that is taken as a whole has at most ${bytesMax} bytes.`,
    { details: { bytesMax } },
  );
}
