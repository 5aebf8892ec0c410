/** A failure as `StoreError` tells it, made from what a server answers: this package needs no other at run time. */
import type { ErrorCategory, ErrorCode, ErrorDetails } from "@sennit/core";

/** What the error tells, as plain JSON. */
export interface Failure {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly message: string;
  readonly hint: string;
  readonly details: ErrorDetails;
}

/** Category and hint of the codes that arise on this side of the connection, as `errorCodes` of `@sennit/core` has them. */
export const ownCodes = {
  "argument-invalid": { category: "invalid", hint: "Correct the argument named in the message." },
  "as-of-invalid": {
    category: "invalid",
    hint: "Give a position (812), an RFC 3339 time with a zone (2026-03-02T10:00:00Z) or a label.",
  },
  "batch-too-large": { category: "invalid", hint: "Send fewer or smaller events in one batch." },
  "event-invalid": { category: "invalid", hint: "Correct the fields named by the pointers." },
  "label-invalid": {
    category: "invalid",
    hint: "A label holds no white space, looks like neither a number nor a time, and does not begin with a minus.",
  },
  "ref-invalid": { category: "invalid", hint: "Write ID, ID@VERSION or KIND/NAME." },
  "store-closed": { category: "unavailable", hint: "Open the store again." },
  "server-unreachable": {
    category: "unavailable",
    hint: "Check the URL and that the server runs: sennit serve",
  },
  aborted: { category: "interrupted", hint: "Nothing to do: the caller stopped it." },
} as const satisfies Partial<
  Record<ErrorCode, { readonly category: ErrorCategory; readonly hint: string }>
>;

interface ClientErrorOptions {
  readonly hint?: string | undefined;
  readonly details?: ErrorDetails | undefined;
  readonly cause?: unknown;
}

/** Every failure of a client. `isStoreError` of `@sennit/core` takes it for one of the store's own. */
export class ClientError extends Error {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly hint: string;
  readonly details: ErrorDetails;

  /** A failure on this side of the connection. */
  constructor(code: keyof typeof ownCodes, message: string, options?: ClientErrorOptions);
  /** A failure that a server has told. */
  constructor(failure: Failure);
  constructor(
    code: keyof typeof ownCodes | Failure,
    message = "",
    { hint, details = {}, cause }: ClientErrorOptions = {},
  ) {
    const failure = typeof code === "object" ? code : { code, message, ...ownCodes[code], details };
    super(failure.message, cause === undefined ? undefined : { cause });
    this.name = "StoreError";
    this.code = failure.code;
    this.category = failure.category;
    this.hint = hint ?? failure.hint;
    this.details = failure.details;
  }

  /** The error as documented JSON, like that of `StoreError`. */
  toJSON(): Failure {
    const { code, category, message, hint, details } = this;
    return { code, category, message, hint, details };
  }
}
