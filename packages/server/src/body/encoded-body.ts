/** The bytes of a body that was sent compressed. */
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import { isStoreError, StoreError } from "@sennit/core";
import type { FastifyRequest } from "fastify";

/** The body as it was before `Content-Encoding`. @throws `media-type-unsupported` for another encoding than gzip */
export function decodedBody(request: FastifyRequest, payload: Readable): Readable {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return payload;
  if (!/^(x-)?gzip$/i.test(encoding)) {
    throw new StoreError(
      "media-type-unsupported",
      `A body with Content-Encoding ${JSON.stringify(encoding)} is not taken.`,
      {
        hint: "Send it as it is, or as gzip.",
        details: { header: "Content-Encoding", value: encoding },
      },
    );
  }
  const inflated = createGunzip();
  // A request that is refused before its lines are read has no reader who would hear of it, and must not end the process.
  inflated.on("error", () => undefined);
  // Not a pipeline, which would destroy the socket with the body: who sent what is no gzip is told so.
  payload.on("error", (error) => inflated.destroy(error));
  return payload.pipe(inflated);
}

/** Why a body could not be read to its end: `body-invalid` for what is no gzip, `aborted` when its sender has gone. */
export function bodyFailure(cause: unknown): StoreError {
  if (isStoreError(cause)) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code?.startsWith("Z_") === true) {
    return new StoreError("body-invalid", `The body is no gzip: ${message}.`, { cause });
  }
  return new StoreError("aborted", "The body ended before it was whole.", { cause });
}
