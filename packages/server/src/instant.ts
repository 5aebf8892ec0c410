/** The instant a request asks for, and the reader of it. */
import { parseAsOf, StoreError, type Position } from "@sennit/core";
import type { EmbeddedViewReader } from "@sennit/projections";
import { Type } from "typebox";

import type { Exchange } from "./route.ts";

/** The parameter of every question. */
export const asOfQuery = {
  "as-of": Type.Optional(
    Type.String({
      description: "A position, an RFC 3339 time with a zone, or a label. Default: the present.",
      minLength: 1,
    }),
  ),
};

const minPositionHeader = "sennit-min-position";

export interface InstantReader {
  readonly reader: EmbeddedViewReader;
  /** Whether the instant asked for will always mean this position. */
  readonly isFixed: boolean;
}

/** The reader of the instant asked for. @throws the codes of `Views.at`, `position-not-reached` */
export async function readerOf(
  { views, store, request, signal }: Exchange,
  query: { readonly "as-of"?: string },
): Promise<InstantReader> {
  assertReached(request.headers[minPositionHeader], store.head);
  const text = query["as-of"];
  const asOf = text === undefined ? undefined : parseAsOf(text);
  const reader = await views.at(asOf, { signal });
  return { reader, isFixed: asOf !== undefined && !("label" in asOf) };
}

/** @throws `argument-invalid` for what is no position, `position-not-reached` when the log is not that long */
function assertReached(header: string | readonly string[] | undefined, head: Position): void {
  if (header === undefined) return;
  const position = typeof header === "string" && /^\d{1,16}$/.test(header) ? Number(header) : NaN;
  if (!Number.isSafeInteger(position)) {
    throw new StoreError("argument-invalid", "Sennit-Min-Position must be a position.", {
      details: { header: "Sennit-Min-Position", value: header },
    });
  }
  if (position <= head) return;
  throw new StoreError(
    "position-not-reached",
    `The log ends at position ${head}, and ${position} was asked for.`,
    { details: { head, position } },
  );
}
