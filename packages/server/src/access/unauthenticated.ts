/** The error for a request that does not say who sends it, or not credibly. */
import { StoreError } from "@sennit/core";

/** `missing` alone means that there was no credential. */
export type RefusalReason =
  | "missing"
  | "malformed"
  | "mistyped"
  | "unknown"
  | "untrusted"
  | "expired"
  | "revoked";

/** @param reason for programs: which it was */
export function unauthenticated(reason: RefusalReason, message: string): StoreError {
  return new StoreError("unauthenticated", message, { details: { reason } });
}
