/** Gathers the bytes of a body, as many as may be. */
import type { Readable } from "node:stream";

import { StoreError } from "@sennit/core";

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
  payload: Readable,
  { bytesMax, hold }: { readonly bytesMax: number; readonly hold: Hold | undefined },
  done: Done,
): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  // The listeners stay, as taking them off is dearer than they are; and a failure that comes later must not end the process.
  let isDone = false;
  const finish: Done = (error, body) => {
    if (isDone) return;
    isDone = true;
    chunks = [];
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    if (isDone) return;
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
  const onClose = (): void => {
    if (!isDone) finish(bodyFailure(new Error("closed")));
  };
  payload.on("data", onData);
  payload.on("end", onEnd);
  payload.on("error", onError);
  payload.on("close", onClose);
}

/** What is told about a body of more bytes than are taken. */
export function tooLarge(bytesMax: number): StoreError {
  return new StoreError(
    "body-too-large",
    `A body that is taken as a whole has at most ${bytesMax} bytes.`,
    { details: { bytesMax } },
  );
}
