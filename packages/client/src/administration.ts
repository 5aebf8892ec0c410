/** What concerns the store as a whole: exports, verifications, erasures. */
import type {
  EraseOptions,
  ExportOptions,
  ExportSummary,
  StoreErasure,
  VerifyOptions,
  VerifyProgress,
  VerifyReport,
} from "@sennit/core";

import { ClientError, type Failure } from "./client-error.ts";
import { ExportEnd } from "./export-end.ts";
import { jsonText } from "./json-text.ts";
import { chunksOf, jsonLinesOf } from "./lines.ts";
import type { Transport } from "./transport.ts";

/** @throws `server-unreachable` for an export that breaks off, also when pieces of it have been given */
export async function* exportLog(
  transport: Transport,
  { format = "ndjson", checkpoint = true, signal, onProgress }: ExportOptions = {},
): AsyncGenerator<Uint8Array, ExportSummary> {
  const answer = await transport.open({
    path: ["v1", "export"],
    query: { format, unsigned: checkpoint ? undefined : true },
    headers: { accept: "*/*" },
    signal,
  });
  const end = new ExportEnd(format);
  try {
    for await (const chunk of chunksOf(answer.body)) {
      end.add(chunk);
      yield chunk;
    }
  } catch (error) {
    throw transport.failure(error, signal);
  } finally {
    answer.release();
  }
  const summary = end.summary();
  if (summary === undefined) {
    throw new ClientError("server-unreachable", "The export breaks off before its end.");
  }
  onProgress?.(summary.head);
  return summary;
}

type Told =
  | { readonly progress: VerifyProgress }
  | { readonly report: VerifyReport }
  | { readonly error: Failure };

/** @throws the codes of `Store.verify`, `server-unreachable` */
export function verifyLog(
  transport: Transport,
  { signal, onProgress }: VerifyOptions = {},
): Promise<VerifyReport> {
  const ask = {
    method: "POST",
    path: ["v1", "verify"],
    query: { progress: true },
    headers: { accept: "application/x-ndjson" },
    isRepeatable: true,
    signal,
  } as const;
  return transport.read(ask, async ({ body }) => {
    for await (const told of body === null ? [] : jsonLinesOf<Told>(body)) {
      if ("error" in told) throw new ClientError(told.error);
      if ("report" in told) return told.report;
      onProgress?.(told.progress);
    }
    throw new ClientError("server-unreachable", "The answer breaks off before its end.");
  });
}

/** It is sent once: sent again, it would find nothing left to erase. @throws the codes of `Store.erase`, `server-unreachable` */
export async function eraseContent(
  transport: Transport,
  refs: readonly string[],
  { cause, actor, dryRun }: EraseOptions,
): Promise<StoreErasure> {
  const body = jsonText({ refs, cause, actor, dryRun });
  return transport.json({
    method: "POST",
    path: ["v1", "erase"],
    body,
    isRepeatable: dryRun === true,
  });
}
