/** Makes an error about an event speak of the place in the body that was sent. */
import { isStoreError, StoreError, type Issue } from "@sennit/core";

import type { AppendBody, Place } from "./append-body.ts";

/** The error with its pointers, and those in its message, moved. Errors that are about no event stay as they are. */
export function relocate(error: unknown, { events, place: inBody }: AppendBody): unknown {
  if (!isStoreError(error)) return error;
  const { code, message, hint, details } = error;
  const { index } = details;
  if (code !== "event-invalid" && typeof index !== "number") return error;
  // What a credential does not allow is told with a pointer into the event, not into the batch.
  const eventPlace = code === "forbidden" && events.length > 1 ? `/${String(index)}` : "";
  const place: Place = (pointer) => inBody(eventPlace + pointer);
  const { pointer, issues } = details;
  const moved: readonly Issue[] | undefined = Array.isArray(issues)
    ? (issues as Issue[]).map((issue) => ({ ...issue, pointer: place(issue.pointer) }))
    : undefined;
  const [first] = Array.isArray(issues) ? (issues as Issue[]) : [];
  const lead = first?.pointer ?? "";
  const isLed = lead !== "" && message.startsWith(lead);
  return new StoreError(code, isLed ? place(lead) + message.slice(lead.length) : message, {
    hint,
    details: {
      ...details,
      ...(typeof pointer === "string" && { pointer: place(pointer) }),
      ...(moved !== undefined && { issues: moved }),
    },
    cause: error,
  });
}
