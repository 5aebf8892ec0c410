/** Ingests lines into a store, wherever it is, and counts them. */
import { ingest, type IngestSummary, type Store } from "@sennit/core";

import type { TargetIngestOptions } from "./target.ts";

/** @throws the codes of `ingest` of `@sennit/core` */
export async function ingestInto(
  store: Store,
  chunks: AsyncIterable<Uint8Array>,
  { actor, onProgress, ...options }: TargetIngestOptions,
): Promise<IngestSummary> {
  const results = ingest(store, chunks, {
    ...options,
    prepare: (events) =>
      actor === undefined
        ? events
        : events.map((event) => ({ ...event, actor: event.actor ?? actor })),
  });
  for (;;) {
    const { done, value } = await results.next();
    if (done === true) return value;
    onProgress(value.at(-1)?.line ?? 0);
  }
}
