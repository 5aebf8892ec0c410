/** A failure as an RFC 9457 problem document. The only place with HTTP statuses of failures. */
import { toStoreError, type ErrorCategory, type ErrorCode, type StoreError } from "@sennit/core";

const categoryStatus: Readonly<Record<ErrorCategory, number>> = {
  invalid: 400,
  denied: 403,
  "not-found": 404,
  conflict: 409,
  unsupported: 501,
  busy: 503,
  unavailable: 503,
  corrupt: 500,
  interrupted: 499,
  internal: 500,
};

/** Codes whose status is another than that of their category. */
const codeStatus: Partial<Readonly<Record<ErrorCode, number>>> = {
  "batch-too-large": 413,
  "body-too-large": 413,
  "event-too-large": 413,
  "headers-too-large": 431,
  "request-timeout": 408,
  "media-type-unsupported": 415,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  unauthenticated: 401,
  "precondition-failed": 412,
  "rate-limited": 429,
};

/** Seconds after which a caller may try again what was busy or unavailable. */
const retryAfterSeconds = 1;

export interface Problem {
  /** Where the code is described. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** What is wrong with what was sent, each with a JSON pointer. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

/** The status of a failure. */
export function statusOf({ code, category }: Pick<StoreError, "code" | "category">): number {
  return codeStatus[code] ?? categoryStatus[category];
}

/** Where the codes are described: the `type` of a problem is a place on that page. */
export const errorPage = "/docs/errors";

/** @param instance the request's id, which the log has too */
export function problemOf(error: unknown, instance: string): Problem {
  const failure = toStoreError(error);
  const { code, category, hint } = failure;
  const about = {
    type: `${errorPage}#${code}`,
    title: titleOf(code),
    status: statusOf(failure),
    instance,
    code,
    category,
    hint,
  };
  if (category === "internal") {
    // What went wrong inside is for the log, not for the caller.
    return { ...about, detail: "Something went wrong inside the server.", details: {}, errors: [] };
  }
  const { issues, ...details } = failure.details;
  const errors = isIssues(issues)
    ? issues.map(({ pointer, message }) => ({ pointer, detail: message }))
    : [];
  return { ...about, detail: failure.message, details, errors };
}

/** Headers that go with a problem. */
export function problemHeaders({
  status,
  code,
  detail,
  details,
}: Problem): Readonly<Record<string, string>> {
  if (status === 503 || status === 429) {
    const { retryAfterSeconds: seconds = retryAfterSeconds } = details;
    return { "retry-after": String(seconds) };
  }
  if (code === "unauthenticated") {
    // RFC 6750 section 3.1: a request that tried nothing is told no error.
    const isWrong = details["reason"] !== "missing";
    return { "www-authenticate": challenge(isWrong ? { error: "invalid_token", detail } : {}) };
  }
  if (code === "method-not-allowed") return { allow: [details["allow"]].flat().join(", ") };
  if (code === "forbidden" && typeof details["scope"] === "string") {
    const scope = details["scope"];
    return { "www-authenticate": challenge({ error: "insufficient_scope", detail, scope }) };
  }
  return {};
}

function challenge({
  error,
  detail,
  scope,
}: {
  readonly error?: string;
  readonly detail?: string;
  readonly scope?: string;
}): string {
  const parameters = { realm: "sennit", error, error_description: detail, scope };
  const words = Object.entries(parameters).flatMap(([name, value]) =>
    // What RFC 6750 allows in a value: neither quotes nor anything beyond ASCII.
    value === undefined ? [] : [`${name}="${value.replaceAll(/[^ !#-[\]-~]/g, "?")}"`],
  );
  return `Bearer ${words.join(", ")}`;
}

function isIssues(
  value: unknown,
): value is readonly { readonly pointer: string; readonly message: string }[] {
  return Array.isArray(value);
}

function titleOf(code: ErrorCode): string {
  const words = code.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
