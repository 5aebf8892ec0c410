/** What concerns the store as a whole: exports, verifications, erasures, and rebuilds of its projections. */
import type {
  EraseOptions,
  ExportOptions,
  ExportSummary,
  StoreErasure,
  VerifyOptions,
  VerifyProgress,
  VerifyReport,
} from "@sennit/core";
import type { ProjectionStatus } from "@sennit/projections";

import { ClientError, type Failure } from "./client-error.ts";
import { ExportEnd } from "./export-end.ts";
import { jsonText } from "./json-text.ts";
import { chunksOf, jsonLinesOf } from "./lines.ts";
import type { Ask, Transport } from "./transport.ts";

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

/** @throws the codes of `Store.verify`, `server-unreachable` */
export function verifyLog(
  transport: Transport,
  { signal, onProgress }: VerifyOptions = {},
): Promise<VerifyReport> {
  const ask = { path: ["v1", "verify"], isRepeatable: true, signal };
  return reportOf<{ progress: VerifyProgress; report: VerifyReport }>(transport, ask, onProgress);
}

export interface RebuildOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told at once, and each second. */
  readonly onProgress?: ((status: ProjectionStatus) => void) | undefined;
}

/** It is sent once. @throws the codes of `Views.rebuild`, `server-unreachable` */
export function rebuildRows(
  transport: Transport,
  name: string,
  { signal, onProgress }: RebuildOptions = {},
): Promise<ProjectionStatus> {
  const ask = { path: ["v1", "projections", name, "rebuild"], isRepeatable: false, signal };
  return reportOf<{ progress: ProjectionStatus; report: ProjectionStatus }>(
    transport,
    ask,
    onProgress,
  );
}

/** What is told while work goes on, and what at its end. */
interface Telling {
  readonly progress: unknown;
  readonly report: unknown;
}

type Told<T extends Telling> =
  | Pick<T, "progress">
  | Pick<T, "report">
  | { readonly error: Failure };

/** What comes of long work, of which the server tells all the time how far it is: `fetch` gives up a silent answer. */
function reportOf<T extends Telling>(
  transport: Transport,
  { path, body, isRepeatable, signal }: Pick<Ask, "path" | "body" | "isRepeatable" | "signal">,
  onProgress: ((progress: T["progress"]) => void) | undefined,
): Promise<T["report"]> {
  const ask = {
    method: "POST",
    path,
    body,
    query: { progress: true },
    headers: { accept: "application/x-ndjson" },
    isRepeatable,
    signal,
  } as const;
  return transport.read(ask, async (response) => {
    for await (const told of response.body === null ? [] : jsonLinesOf<Told<T>>(response.body)) {
      if ("error" in told) throw new ClientError(told.error);
      if ("report" in told) return told.report;
      onProgress?.(told.progress);
    }
    throw new ClientError("server-unreachable", "The answer breaks off before its end.");
  });
}

/**
 * It is sent once: sent again, it would find nothing left to erase.
 *
 * @throws the codes of `Store.erase`; `server-unreachable`, after which the server may still be at work
 */
export async function eraseContent(
  transport: Transport,
  refs: readonly string[],
  { cause, actor, dryRun }: EraseOptions,
): Promise<StoreErasure> {
  const body = jsonText({ refs, cause, actor, dryRun });
  const path = ["v1", "erase"];
  if (dryRun === true) return transport.json({ method: "POST", path, body, isRepeatable: true });
  const ask = { path, body, isRepeatable: false };
  try {
    const telling = reportOf<{ progress: unknown; report: StoreErasure }>;
    const report = await telling(transport, ask, undefined);
    if (report.position !== null) transport.reached(report.position);
    return report;
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== "server-unreachable") throw error;
    const { code, category, message, details } = error;
    const hint = `${begunErasure} ${error.hint}`;
    throw new ClientError({ code, category, message, hint, details });
  }
}

const begunErasure =
  "An erasure that has begun goes on by itself; send it again: what was erased already is left out, and it ends when no file holds it.";
