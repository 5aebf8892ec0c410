/** A store behind a URL. */
import type {
  AppendedEvent,
  AppendOptions,
  AppendResult,
  AsOf,
  EraseOptions,
  ExportOptions,
  ExportSummary,
  FollowOptions,
  IngestSummary,
  LineResult,
  NewEvent,
  Position,
  Receipt,
  ReceiptOptions,
  RecordedEvent,
  Store,
  StoreErasure,
  VerifyOptions,
  VerifyReport,
} from "@sennit/core";
import type { ProjectionStatus } from "@sennit/projections";

import {
  eraseContent,
  exportLog,
  rebuildRows,
  verifyLog,
  type RebuildOptions,
} from "./administration.ts";
import { appendBatch } from "./append.ts";
import { bytesOfHex } from "./hex.ts";
import { HttpReader, type Signalled } from "./http-reader.ts";
import { ClientError } from "./client-error.ts";
import { ingestLines, type IngestOptions } from "./ingest.ts";
import { jsonText } from "./json-text.ts";
import { instantText, labelPart, positionText, refPart, type Query } from "./parameters.ts";
import { liveMessages } from "./server-sent-events.ts";
import { Transport, type TransportOptions } from "./transport.ts";

export type ConnectOptions = TransportOptions;

/**
 * Connects to a server. A credential that may write and not read is no hindrance; only the store's id stays unknown then.
 *
 * @param url its address, such as `http://localhost:4600`
 * @throws `argument-invalid`, `server-unreachable`, `unauthenticated`
 */
export async function connect(url: string | URL, options?: ConnectOptions): Promise<SennitClient> {
  const transport = new Transport(url, options);
  const asked = transport.json<{ readonly storeId: string }>({ path: ["v1", "store"] });
  const storeId = await asked.then(
    (store) => store.storeId,
    (error: unknown) => {
      if (error instanceof ClientError && error.code === "forbidden") return error;
      if (error instanceof ClientError && error.code === "route-not-found") {
        const { code, category, message, details } = error;
        const hint =
          "Name the server without a path, such as http://127.0.0.1:4600; behind a proxy, with the path that leads to it.";
        throw new ClientError({ code, category, message, hint, details });
      }
      throw error;
    },
  );
  return new SennitClient(transport, storeId);
}

/**
 * The store of a server, with the interface of one in this process. Questions are asked again when the connection breaks or
 * the server is busy, and so are appends, which carry a key so that none is stored twice. No answer speaks for an earlier
 * present than an answer before it.
 */
export class SennitClient extends HttpReader implements Store {
  readonly #storeId: string | ClientError;

  /** @param storeId the store's, or why it may not be known */
  constructor(transport: Transport, storeId: string | ClientError) {
    super(transport);
    this.#storeId = storeId;
  }

  /** @throws `forbidden` for a credential that may not read */
  get storeId(): string {
    if (typeof this.#storeId === "string") return this.#storeId;
    throw this.#storeId;
  }

  /** Address of the server. */
  get url(): string {
    return this.transport.url;
  }

  /** The last position that an answer has told of; the server may be ahead of it. */
  get head(): Position {
    return this.transport.head;
  }

  /** @throws the codes of `EventLog.append`, `server-unreachable`; what was sent may be stored then */
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return appendBatch(this.transport, events, options);
  }

  /**
   * Stores the events of NDJSON, each that can be stored, and gives what became of the lines in their order.
   *
   * @throws what reading throws; what the server tells that is about no line; `server-unreachable`, `aborted`
   */
  ingest(
    chunks: AsyncIterable<Uint8Array>,
    options: IngestOptions = {},
  ): AsyncGenerator<readonly LineResult[], IngestSummary> {
    return ingestLines(this.transport, chunks, options);
  }

  async at(asOf?: AsOf, { signal }: Signalled = {}): Promise<HttpReader> {
    const { asOf: position } = await this.transport.json<{ readonly asOf: Position }>({
      path: ["v1", "instant"],
      query: { "as-of": asOf === undefined ? undefined : instantText(asOf) },
      signal,
    });
    return new HttpReader(this.transport, position);
  }

  /** Sent once: whoever does not get an answer sees at the label whether it was moved. */
  async label(
    name: string,
    position?: Position,
    options: { readonly actor?: string | undefined } & Signalled = {},
  ): Promise<AppendedEvent> {
    const { part, query } = labelPart(name);
    const { actor, signal } = options;
    const { event } = await this.transport.json<{ readonly event: AppendedEvent }>({
      method: "PUT",
      path: ["v1", "labels", part],
      query,
      body: jsonText({ position, actor }),
      signal,
    });
    return event;
  }

  /** Every event from a position on, also across connections that break and servers that start anew. */
  async *follow({ from = 1, signal }: FollowOptions = {}): AsyncIterable<RecordedEvent> {
    const query = { from: positionText("from", from) };
    const ask = { path: ["v1", "events", "stream"], query, signal };
    for await (const { data } of liveMessages(this.transport, ask)) {
      const event = JSON.parse(data) as RecordedEvent;
      this.transport.reached(event.position);
      yield event;
    }
  }

  async checkpoint(size?: Position): Promise<string> {
    const { note } = await this.#ask<{ readonly note: string }>(["checkpoint"], {
      size: positionText("size", size),
    });
    return note;
  }

  inclusionProof(position: Position, size?: Position): Promise<readonly Uint8Array[]> {
    return this.#hashes("inclusion", {
      position: positionText("position", position),
      size: positionText("size", size),
    });
  }

  consistencyProof(from: Position, to?: Position): Promise<readonly Uint8Array[]> {
    return this.#hashes("consistency", {
      from: positionText("from", from),
      to: positionText("to", to),
    });
  }

  async verifierKey(): Promise<string> {
    const { verifierKey } = await this.#ask<{ readonly verifierKey: string }>(["verifier-key"]);
    return verifierKey;
  }

  async receipt(ref: string, { size, against, signal }: ReceiptOptions = {}): Promise<Receipt> {
    const { part, query } = refPart(ref);
    const sizes = {
      size: positionText("size", size),
      against: positionText("against", against?.size),
    };
    const path = ["v1", "records", part, "receipt"];
    return this.transport.json({ path, query: { ...query, ...sizes }, signal });
  }

  erase(refs: readonly string[], options: EraseOptions): Promise<StoreErasure> {
    return eraseContent(this.transport, refs, options);
  }

  export(options?: ExportOptions): AsyncGenerator<Uint8Array, ExportSummary> {
    return exportLog(this.transport, options);
  }

  verify(options?: VerifyOptions): Promise<VerifyReport> {
    return verifyLog(this.transport, options);
  }

  /** Every projection and how far it is, built-in ones first. */
  async projections(options?: Signalled): Promise<readonly ProjectionStatus[]> {
    const path = ["v1", "projections"];
    const answer = await this.transport.json<{
      readonly projections: readonly ProjectionStatus[];
    }>({ path, signal: options?.signal });
    return answer.projections;
  }

  /** Makes the rows of a projection anew, and resolves when they answer. Whoever stops waiting does not stop it. */
  rebuildProjection(name: string, options?: RebuildOptions): Promise<ProjectionStatus> {
    return rebuildRows(this.transport, name, options);
  }

  pauseProjection(name: string, options?: Signalled): Promise<ProjectionStatus> {
    return this.#tell(name, "pause", options);
  }

  resumeProjection(name: string, options?: Signalled): Promise<ProjectionStatus> {
    return this.#tell(name, "resume", options);
  }

  /** Ends what is under way. The server and its store go on. */
  async close(): Promise<void> {
    this.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #hashes(kind: string, query: Query): Promise<readonly Uint8Array[]> {
    const answer = await this.#ask<{ readonly hashes: readonly string[] }>(["proofs", kind], query);
    return answer.hashes.map(bytesOfHex);
  }

  async #tell(
    name: string,
    what: "pause" | "resume",
    { signal }: Signalled = {},
  ): Promise<ProjectionStatus> {
    return this.transport.json({
      method: "POST",
      path: ["v1", "projections", name, what],
      isRepeatable: true,
      signal,
    });
  }

  #ask<T>(path: readonly string[], query: Query = {}): Promise<T> {
    return this.transport.json({ path: ["v1", ...path], query });
  }
}
