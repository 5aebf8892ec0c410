/** The exit code of each category of error. */
import type { ErrorCategory } from "@sennit/core";

export const exitCodes: Readonly<Record<ErrorCategory, number>> = {
  internal: 1,
  invalid: 2,
  unsupported: 2,
  "not-found": 3,
  conflict: 4,
  busy: 5,
  unavailable: 5,
  corrupt: 6,
  denied: 7,
  interrupted: 130,
};
