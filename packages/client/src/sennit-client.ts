/** A store behind a URL. */
import type { AppendOptions, AppendResult, AsOf, NewEvent, Position } from "@sennit/core";

import { newId } from "./event-id.ts";
import { HttpReader } from "./http-reader.ts";
import { jsonText } from "./json-text.ts";
import { instantText } from "./parameters.ts";
import { Transport, type TransportOptions } from "./transport.ts";

export type ConnectOptions = TransportOptions;

/**
 * Connects to a server.
 *
 * @param url its address, such as `http://localhost:4600`
 * @throws `argument-invalid`, `server-unreachable`, `unauthenticated`, `forbidden`
 */
export async function connect(url: string | URL, options?: ConnectOptions): Promise<SennitClient> {
  const transport = new Transport(url, options);
  const { storeId } = await transport.json<{ readonly storeId: string }>({
    path: ["v1", "store"],
    signal: options?.signal,
  });
  return new SennitClient(transport, storeId);
}

/** The store of a server, with the interface of one in this process. */
export class SennitClient extends HttpReader {
  readonly storeId: string;

  constructor(transport: Transport, storeId: string) {
    super(transport);
    this.storeId = storeId;
  }

  /** Address of the server. */
  get url(): string {
    return this.transport.url;
  }

  get head(): Position {
    return this.transport.head;
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<AppendResult> {
    // With a key, a batch whose answer was lost on the way is sent again without being stored again.
    const { idempotencyKey = newId(), signal } = options;
    return this.transport.json({
      method: "POST",
      path: ["v1", "events"],
      headers: { "idempotency-key": idempotencyKey },
      body: jsonText(events),
      isRepeatable: true,
      signal,
    });
  }

  async at(
    asOf?: AsOf,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<HttpReader> {
    const { asOf: position } = await this.transport.json<{ readonly asOf: Position }>({
      path: ["v1", "instant"],
      query: { "as-of": asOf === undefined ? undefined : instantText(asOf) },
      signal,
    });
    return new HttpReader(this.transport, position);
  }

  /** Ends what is under way. The server and its store go on. */
  async close(): Promise<void> {
    this.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
