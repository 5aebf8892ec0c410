/** A failure as `StoreError` tells it, made from what a server answers: this package needs no other at run time. */
import type { ErrorCategory, ErrorCode, ErrorDetails } from "@sennit/core";

/** What the error tells, as plain JSON. */
interface Failure {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly message: string;
  readonly hint: string;
  readonly details: ErrorDetails;
}

/** Every failure of a client. `isStoreError` of `@sennit/core` takes it for one of the store's own. */
export class ClientError extends Error {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor({ code, category, message, hint, details }: Failure, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StoreError";
    this.code = code;
    this.category = category;
    this.hint = hint;
    this.details = details;
  }

  /** The error as documented JSON, like that of `StoreError`. */
  toJSON(): Failure {
    const { code, category, message, hint, details } = this;
    return { code, category, message, hint, details };
  }
}
