/** The instant a request asks for, and the readers of it. */
import { parseAsOf, parseRef, StoreError, type EmbeddedReader, type Position } from "@sennit/core";
import type { EmbeddedViewReader } from "@sennit/projections";
import { Type } from "typebox";

import type { Exchange } from "./route.ts";

/** The parameter of every question. */
export const asOfQuery = {
  "as-of": Type.Optional(
    Type.String({
      description: "A position, an RFC 3339 time with a zone, or a label. Default: the present.",
      minLength: 1,
      examples: ["812", "2026-03-02T10:00:00Z", "submitted-paper"],
    }),
  ),
};

/** A parameter that names an instant. */
export function instantParameter(description: string) {
  return Type.String({
    description: `${description}: a position, a time or a label.`,
    minLength: 1,
  });
}

/** What a text that names an instant means. */
export interface NamedPosition {
  readonly position: Position;
  /** Whether it will always mean this position, as a label need not. */
  readonly isFixed: boolean;
}

/** An instant of the store, and who answers questions about it. */
export class Instant {
  /** Answers what needs no index. A ref to it is `ID` or `ID@VERSION`: see `resolve`. */
  readonly reader: EmbeddedReader;
  /** Whether the instant asked for will always mean this position. */
  readonly isFixed: boolean;
  readonly #exchange: Exchange;
  #views: Promise<EmbeddedViewReader> | undefined;

  constructor(exchange: Exchange, reader: EmbeddedReader, isFixed: boolean) {
    this.reader = reader;
    this.isFixed = isFixed;
    this.#exchange = exchange;
  }

  get asOf(): Position {
    return this.reader.asOf;
  }

  /** What an answer says of the instant it speaks for. */
  get said(): { readonly position: Position; readonly isFixed: boolean } {
    return { position: this.asOf, isFixed: this.isFixed };
  }

  /** The reader that has the indexes, once they have got to the instant. @throws the codes of `Views.at` */
  views(): Promise<EmbeddedViewReader> {
    const { views, signal } = this.#exchange;
    this.#views ??= views.at({ position: this.asOf }, { signal });
    return this.#views;
  }

  /**
   * The ref with `KIND/NAME` replaced by an id. The indexes are waited for only when the ref is no id.
   *
   * @throws `ref-invalid`, `ref-ambiguous`, and the codes of `views`
   */
  async resolve(ref: string): Promise<string> {
    const { target } = parseRef(ref);
    const isId = !target.includes("/") || (await this.reader.findRecord(target)) !== undefined;
    if (isId) return ref;
    return (await this.views()).resolve(ref, { signal: this.#exchange.signal });
  }
}

/** The instant asked for. @throws the codes of `Store.at`, `as-of-invalid` */
export async function instantOf(
  exchange: Exchange,
  { "as-of": text }: { readonly "as-of"?: string | undefined },
): Promise<Instant> {
  const asOf = text === undefined ? undefined : parseAsOf(text);
  const reader = await exchange.store.at(asOf);
  return new Instant(exchange, reader, asOf !== undefined && !("label" in asOf));
}

/** Several instants in one question: it speaks for a fixed one only when each of them is. */
export function bothFixed(
  instant: Instant,
  ...others: readonly (NamedPosition | undefined)[]
): { readonly position: Position; readonly isFixed: boolean } {
  const isFixed = others.every((other) => other?.isFixed ?? true);
  return { position: instant.asOf, isFixed: instant.isFixed && isFixed };
}

/** The position that the text of a parameter means. @throws the codes of `Store.at`, `as-of-invalid` */
export async function positionOf({ store }: Exchange, text: string): Promise<NamedPosition> {
  const asOf = parseAsOf(text);
  const { asOf: position } = await store.at(asOf);
  return { position, isFixed: !("label" in asOf) };
}

export const minPositionHeader = "sennit-min-position";

/**
 * Resolves once the log is as long as the request demands, at once when it demands nothing.
 *
 * @param waitMs how long that may take
 * @throws `argument-invalid` for what is no position, `position-not-reached`, `aborted`
 */
export async function reachPosition(
  { store, request, signal }: Exchange,
  waitMs: number,
): Promise<void> {
  const header = request.headers[minPositionHeader];
  if (header === undefined) return;
  const position = typeof header === "string" && /^\d{1,16}$/.test(header) ? Number(header) : NaN;
  if (!Number.isSafeInteger(position)) {
    throw new StoreError("argument-invalid", "Sennit-Min-Position must be a position.", {
      details: { header: "Sennit-Min-Position", value: header },
    });
  }
  if (position <= store.head) return;
  const timeout = AbortSignal.timeout(waitMs);
  try {
    const events = store.follow({ from: position, signal: AbortSignal.any([signal, timeout]) });
    for await (const _event of events) return;
  } catch (error) {
    if (!timeout.aborted) throw error;
  }
  throw new StoreError(
    "position-not-reached",
    `The log ends at position ${store.head}, and ${position} was asked for.`,
    { details: { head: store.head, position } },
  );
}
