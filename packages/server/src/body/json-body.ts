/** The value of a JSON body: what the text says, or why it cannot be taken. */
import { isUtf8 } from "node:buffer";

import { readJson, StoreError } from "@sennit/core";

/** @throws `body-invalid` for what is no JSON, and for JSON whose value would not be what the text says */
export function readJsonBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new StoreError("body-invalid", "The body is not UTF-8.");
  let reading;
  try {
    reading = readJson(bytes.toString("utf8", startOf(bytes)));
  } catch (error) {
    throw new StoreError("body-invalid", `The body is no JSON: ${(error as Error).message}.`);
  }
  const { value, loss } = reading;
  if (loss === undefined) return value;
  throw new StoreError(
    "body-invalid",
    `The body cannot be taken as it is: ${loss.pointer} ${loss.message}.`,
    { details: { issues: [loss] } },
  );
}

/** Behind a byte order mark, which RFC 8259 lets a reader pass over. */
function startOf(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
