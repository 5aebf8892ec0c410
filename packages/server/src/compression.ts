/** Compression of answers, and how little of it an answer is worth. */
import { constants } from "node:zlib";

import compress from "@fastify/compress";
import type { FastifyInstance, onSendHookHandler } from "fastify";

import { tagEncoding } from "./answer.ts";

/** Bytes from which on an answer is compressed: below, the headers are most of it. */
const thresholdBytes = 1024;
/** The levels that take about as long as the answer takes to make. */
const brotliQuality = 4;
const gzipLevel = 6;

/** What gets smaller. Live streams are not among them: their events must not wait for each other. */
const compressible =
  /^(?:text\/(?!event-stream)|application\/(?:json|problem\+json|x-ndjson|vnd\.msgpack))/;

/** Compresses the answers of the routes that are registered behind it, but for those with `compress: false`. */
export async function registerCompression(app: FastifyInstance): Promise<void> {
  await app.register(compress, {
    encodings: ["br", "gzip"],
    threshold: thresholdBytes,
    customTypes: compressible,
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } },
    zlibOptions: { level: gzipLevel },
    globalDecompression: false,
  });
  // Behind the plugin's own hook, which stands on each route.
  app.addHook("onRoute", (route) => {
    if (route.compress === false) return;
    route.onSend = [route.onSend ?? [], sayEncoding].flat();
  });
}

const sayEncoding: onSendHookHandler = (_request, reply, payload, done) => {
  tagEncoding(reply);
  done(null, payload);
};
