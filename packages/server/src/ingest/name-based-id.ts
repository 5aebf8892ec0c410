/** Ids made from names: the same one for the same name, wherever it is made. */
import { createHash } from "node:crypto";

import type { EventId } from "@sennit/core";

/** The namespace of CloudEvents, itself the UUID of the name `https://cloudevents.io` in the namespace of URLs. */
const cloudEvents = Buffer.from("a835909853dc5a128efa3f2dabe08dfd", "hex");

/** The UUID, version 5 (RFC 9562), of what CloudEvents calls the same event: source and id, with a line feed between. */
export function cloudEventId(source: string, id: string): EventId {
  const bytes = createHash("sha1").update(cloudEvents).update(`${source}\n${id}`).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex", 0, 16);
  return [8, 12, 16, 20, 32]
    .map((end, index, ends) => hex.slice(ends[index - 1] ?? 0, end))
    .join("-");
}
