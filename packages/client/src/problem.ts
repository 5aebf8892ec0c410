/** Makes an error of an answer that is none: of a problem document, or of whatever stands between here and the server. */
import type { ErrorCategory, ErrorCode } from "@sennit/core";

import { ClientError } from "./client-error.ts";

/** A problem document (RFC 9457) with the members that the server adds. */
export interface Problem {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly detail: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** Characters of a strange answer that are told. */
const excerptLength = 200;

/** Codes for statuses that something else than the server has answered with: a proxy, most often. */
const statusCodes: Readonly<
  Record<number, { readonly code: ErrorCode; readonly category: ErrorCategory }>
> = {
  401: { code: "unauthenticated", category: "denied" },
  403: { code: "forbidden", category: "denied" },
  404: { code: "route-not-found", category: "not-found" },
  413: { code: "body-too-large", category: "invalid" },
  429: { code: "rate-limited", category: "busy" },
};

/** The failure that an answer tells. @throws what reading its body fails with */
export async function failureOf(response: Response): Promise<ClientError> {
  const text = await response.text();
  const problem = parseProblem(text);
  return problem === undefined ? strangeAnswer(response, text) : failureOfProblem(problem);
}

/** The failure that a problem document tells. */
export function failureOfProblem(problem: Problem): ClientError {
  const { code, category, detail, hint, details = {}, errors = [] } = problem;
  const issues = errors.map((error) => ({ pointer: error.pointer, message: error.detail }));
  return new ClientError({
    code,
    category,
    message: detail,
    hint,
    details: issues.length === 0 ? details : { ...details, issues },
  });
}

function parseProblem(text: string): Problem | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { code, category, detail, hint } = value as Readonly<Record<string, unknown>>;
  const isProblem = [code, category, detail, hint].every((member) => typeof member === "string");
  return isProblem ? (value as Problem) : undefined;
}

/** The failure of an answer that no Sennit server gives. */
export function strangeAnswer(response: Response, text: string): ClientError {
  const { status, url } = response;
  const contentType = response.headers.get("content-type");
  const details = { status, contentType, excerpt: text.slice(0, excerptLength) };
  const message = `${url} answers with status ${status} and ${contentType ?? "no type"}, as no Sennit server does.`;
  const hint = "Check the URL, and what stands between here and the server.";
  const known = statusCodes[status];
  if (known !== undefined) return new ClientError({ ...known, message, hint, details });
  return new ClientError("server-unreachable", message, { hint, details });
}
