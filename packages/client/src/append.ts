/** Sends a batch so that it can be sent again. */
import type { AppendOptions, AppendResult, NewEvent } from "@sennit/core";

import { ClientError } from "./client-error.ts";
import { newId } from "./event-id.ts";
import { jsonText } from "./json-text.ts";
import type { Transport } from "./transport.ts";

/** Says that the answer is one that was given before. */
const replayedHeader = "idempotency-replayed";

const keyLengthMax = 256;

/** With a key, a batch whose answer was lost on the way is sent again without being stored again. */
export async function appendBatch(
  transport: Transport,
  events: readonly NewEvent[],
  { expectedHead, unchangedSince, idempotencyKey, signal }: AppendOptions = {},
): Promise<AppendResult> {
  const isConditional = expectedHead !== undefined || unchangedSince !== undefined;
  const [first] = events;
  const batch = events.length === 1 ? first : events;
  const ask = {
    method: "POST",
    path: ["v1", "events"],
    headers: {
      "idempotency-key": idempotencyKey === undefined ? newId() : keyText(idempotencyKey),
    },
    body: jsonText(isConditional ? { events, expectedHead, unchangedSince } : batch),
    isRepeatable: true,
    signal,
  } as const;
  try {
    return await transport.read(ask, async (response) => {
      const result = JSON.parse(await response.text()) as AppendResult;
      transport.reached(result.head);
      const isOwn = idempotencyKey === undefined && response.headers.has(replayedHeader);
      return isOwn ? storedBefore(events, result) : result;
    });
  } catch (error) {
    throw isConditional ? withoutEnvelope(error, events.length) : error;
  }
}

/** The key in quotes, in which a header keeps its spaces. @throws `argument-invalid` for what no header can carry */
function keyText(key: string): string {
  const problem = keyProblem(key);
  if (problem === undefined) return `"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  throw new ClientError("argument-invalid", `Append option /idempotencyKey ${problem}.`, {
    details: { issues: [{ pointer: "/idempotencyKey", message: problem }] },
  });
}

function keyProblem(key: unknown): string | undefined {
  if (typeof key !== "string") return "must be text";
  if (key === "") return "must not be empty";
  if (key.length > keyLengthMax) return `must be at most ${keyLengthMax} bytes of UTF-8`;
  const isHeader = /^[\x20-\x7e]+$/.test(key) && !key.includes(", ");
  return isHeader
    ? undefined
    : "must be ASCII, and hold no comma before a space, to reach a server";
}

/** A batch with a key that nobody else has was stored by the request whose answer was lost. */
function storedBefore(events: readonly NewEvent[], result: AppendResult): AppendResult {
  const told = result.events.map((event, index) =>
    // An event with an id of the caller's may have been there before that.
    events[index]?.id === undefined ? { ...event, status: "stored" as const } : event,
  );
  return { ...result, events: told };
}

/** The failure with pointers into the batch, as whoever gave the batch knows it, and not into what was sent. */
function withoutEnvelope(error: unknown, count: number): unknown {
  if (!(error instanceof ClientError)) return error;
  const lead = count === 1 ? "/events/0" : "/events";
  const inner = (pointer: string): string =>
    pointer.startsWith(lead) ? pointer.slice(lead.length) : pointer;
  const { code, category, message, hint, details } = error;
  const { pointer, issues, ...others } = details;
  return new ClientError({
    code,
    category,
    message: inner(message),
    hint,
    details: {
      ...others,
      ...(typeof pointer === "string" && { pointer: inner(pointer) }),
      ...(Array.isArray(issues) && {
        issues: (issues as { readonly pointer: string }[]).map((issue) => ({
          ...issue,
          pointer: inner(issue.pointer),
        })),
      }),
    },
  });
}
