/** Lets pages of other origins ask from a browser, when they are on the list; off without one. */
import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";

/** How long a browser may keep what it was told about a route. */
const preflightSeconds = 600;

/** @param origins such as `https://example.org` */
export async function registerCrossOrigin(
  app: FastifyInstance,
  origins: readonly string[],
): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: [
      "Accept",
      "Authorization",
      "Content-Encoding",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "If-None-Match",
      "Last-Event-ID",
      "Sennit-Min-Position",
      "Traceparent",
      "Tracestate",
      "X-Request-Id",
    ],
    exposedHeaders: [
      "ETag",
      "Idempotency-Replayed",
      "Location",
      "RateLimit",
      "RateLimit-Policy",
      "Retry-After",
      "Sennit-Position",
      "WWW-Authenticate",
      "X-Request-Id",
    ],
    maxAge: preflightSeconds,
    // What a browser would not send is answered like what it would.
    strictPreflight: false,
  });
}
