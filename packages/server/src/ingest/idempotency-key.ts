/** The key of a batch that may be sent again, from the `Idempotency-Key` header. */
import type { IncomingHttpHeaders } from "node:http";

import { limits, StoreError } from "@sennit/core";

const header = "Idempotency-Key";

/**
 * The key, with or without the quotes that the IETF draft puts around it; undefined when there is none.
 *
 * @throws `request-invalid`
 */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const value = headers["idempotency-key"];
  if (value === undefined) return undefined;
  const key = typeof value === "string" ? unquoted(value) : undefined;
  const fits =
    key !== undefined && key.length > 0 && Buffer.byteLength(key) <= limits.idempotencyKeyBytesMax;
  // Node joins a header that is given twice by a comma and a space.
  if (fits && !/[^\x20-\x7e]/.test(key) && !key.includes(", ")) return key;
  throw new StoreError(
    "request-invalid",
    `${header} must be one key of 1 to ${limits.idempotencyKeyBytesMax} visible characters.`,
    {
      hint: "Send a new UUID with every batch, and the same one when it is sent again.",
      details: { header },
    },
  );
}

function unquoted(value: string): string | undefined {
  if (!value.startsWith('"')) return value;
  const inner = /^"((?:[^"\\]|\\["\\])*)"$/.exec(value)?.[1];
  return inner?.replaceAll(/\\(["\\])/g, "$1");
}
