/** Headers that keep browsers from doing more with an answer than read it. */
import type { FastifyInstance } from "fastify";

/** Answers are data: nothing in them is run, shown in a frame or taken for another type than it says. */
const always: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};
/** Unless pages of other origins are allowed to ask. */
const sameOrigin = { "cross-origin-resource-policy": "same-origin" };
/** For a year this host is asked with TLS only. */
const withTls = { "strict-transport-security": "max-age=31536000" };

/** What the pages at `/docs` need: scripts, styles and pictures of their own, and questions to this server. */
export const docsPolicy: string = [
  "default-src 'none'",
  "base-uri 'self'",
  "connect-src 'self'",
  "font-src 'self' data:",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
].join("; ");

/** What every answer has. */
export function securityHeaders({
  isTls,
  isShared,
}: {
  readonly isTls: boolean;
  readonly isShared: boolean;
}): Readonly<Record<string, string>> {
  return { ...always, ...(!isShared && sameOrigin), ...(isTls && withTls) };
}

export function registerSecurityHeaders(
  app: FastifyInstance,
  headers: Readonly<Record<string, string>>,
): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}
