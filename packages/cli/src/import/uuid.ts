/** Event ids that follow from what they name, so that the same input always gives the same id. */
import { createHash } from "node:crypto";

import type { EventId } from "@sennit/core";

/**
 * Makes a UUIDv8 (RFC 9562) from the SHA-256 of a text. Equal texts give equal ids, for ever; a caller keeps its texts
 * apart from those of others by a prefix of its own.
 */
export function uuidFrom(text: string): EventId {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
