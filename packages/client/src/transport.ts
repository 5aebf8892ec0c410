/** Sends requests: the address, the credential, retries, the position that answers must have reached. */
import type { Position } from "@sennit/core";

import { joinSignals, pause, throwIfAborted, type JoinedSignal } from "./abort.ts";
import { ClientError } from "./client-error.ts";
import type { Query } from "./parameters.ts";
import { connectionFailure } from "./connection-failure.ts";
import { failureOf, strangeAnswer } from "./problem.ts";
import {
  isPassing,
  retryAfterMs,
  retryPolicy,
  withRetries,
  type FailedAttempt,
  type RetryOptions,
  type RetryPolicy,
} from "./retry.ts";

/** A credential, or what gives one that is fresh enough. */
export type Token = string | (() => string | Promise<string>);

type Located = string | URL | undefined;

export interface TransportOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly token?: Token | undefined;
  /**
   * Says before each request where the server is, which may be started anew at another address; undefined while it is nowhere,
   * so that nothing is sent to whoever has its old address. Default: where it was.
   */
  readonly locate?: (() => Located | Promise<Located>) | undefined;
  /** Ends everything the client does. */
  readonly signal?: AbortSignal | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
  readonly retry?: RetryOptions | undefined;
}

export interface Ask {
  /** Default GET. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Its parts as they are; they are encoded here. */
  readonly path: readonly string[];
  readonly query?: Query | undefined;
  /** JSON text, or bytes of the type that the headers name. */
  readonly body?: string | Uint8Array<ArrayBuffer> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether it changes nothing to send it twice. Default: for GET alone. */
  readonly isRepeatable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Requests sent at most. Default: those of `retry`. */
  readonly attempts?: number | undefined;
}

/** An answer whose body is still to be read. What holds it must be released. */
export interface OpenAnswer {
  readonly body: ReadableStream<Uint8Array>;
  readonly headers: Headers;
  /** The one that it was asked for with. */
  readonly token: string | undefined;
  /** Fires when the caller or the client stops. */
  readonly signal: AbortSignal;
  release(): void;
}

/** Reads an answer that is no failure. @param token that it was asked for with */
type Reading<T> = (response: Response, token: string | undefined) => Promise<T>;

export const positionHeader = "sennit-position";
const minPositionHeader = "sennit-min-position";

export class Transport {
  readonly #token: Token | undefined;
  readonly #locate: TransportOptions["locate"];
  readonly #fetch: typeof fetch;
  readonly #retry: RetryPolicy;
  readonly #outer: AbortSignal | undefined;
  readonly #closing = new AbortController();
  #head: Position = 0;
  #url: string;

  /** @throws `argument-invalid` for what is no address of a server */
  constructor(url: string | URL, options: TransportOptions = {}) {
    this.#url = baseOf(url);
    this.#token = options.token;
    this.#locate = options.locate;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#retry = retryPolicy(options.retry);
    this.#outer = options.signal;
  }

  /** Address of the server, as of the last request. */
  get url(): string {
    return this.#url;
  }

  /** The last position that an answer has told of. No later answer speaks for an earlier present. */
  get head(): Position {
    return this.#head;
  }

  get retry(): RetryPolicy {
    return this.#retry;
  }

  /** Whether the next request may come with another token. */
  get renewsToken(): boolean {
    return typeof this.#token === "function";
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The server has told that its log is so long. */
  reached(position: Position): void {
    this.#head = Math.max(this.#head, position);
  }

  /** Ends what is under way, and refuses what comes. */
  close(): void {
    this.#closing.abort(new ClientError("store-closed", "The client is closed."));
  }

  /** Asks, and reads the answer as JSON. @throws what the server tells, `server-unreachable`, `aborted`, `store-closed` */
  json<T>(ask: Ask): Promise<T> {
    return this.read(ask, async (response) => {
      const text = await response.text();
      try {
        return JSON.parse(text) as T;
      } catch {
        throw strangeAnswer(response, text);
      }
    });
  }

  /** Asks, and reads the answer in a way of its own; what that fails with counts like what the server tells. @throws like `json` */
  async read<T>(ask: Ask, read: Reading<T>): Promise<T> {
    const joined = this.#join(ask.signal);
    try {
      return await this.#attempts(ask, joined, read);
    } finally {
      joined.release();
    }
  }

  /** Asks for an answer to be read bit by bit. Only until it begins it is asked for again. @throws like `json` */
  async open(ask: Ask): Promise<OpenAnswer> {
    const joined = this.#join(ask.signal);
    try {
      const { response, token } = await this.#attempts(ask, joined, async (given, sent) => ({
        response: given,
        token: sent,
      }));
      const { body, headers } = response;
      if (body === null) throw new ClientError("server-unreachable", "The answer has no body.");
      return { body, headers, token, signal: joined.signal, release: () => joined.release() };
    } catch (error) {
      joined.release();
      throw error;
    }
  }

  /** Waits. @throws `aborted`, `store-closed` */
  async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const joined = this.#join(signal);
    try {
      await pause(ms, joined.signal);
    } catch (error) {
      throw this.failure(error, signal);
    } finally {
      joined.release();
    }
  }

  /** What a stream fails with, told as the client does. */
  failure(error: unknown, signal: AbortSignal | undefined): ClientError {
    if (this.isClosed) return this.#closing.signal.reason as ClientError;
    if (error instanceof ClientError) return error;
    if (signal?.aborted === true) {
      return new ClientError("aborted", "The operation was aborted.", { cause: signal.reason });
    }
    const { reason, hint } = connectionFailure(this.url, error);
    return new ClientError("server-unreachable", `${this.url} cannot be reached: ${reason}.`, {
      hint,
      details: { url: this.url, reason },
      cause: error,
    });
  }

  #join(signal: AbortSignal | undefined): JoinedSignal {
    if (this.isClosed) throw this.#closing.signal.reason;
    throwIfAborted(this.#outer);
    throwIfAborted(signal);
    return joinSignals([this.#closing.signal, this.#outer, signal]);
  }

  #attempts<T>(ask: Ask, { signal }: JoinedSignal, read: Reading<T>): Promise<T> {
    const isRepeatable = ask.isRepeatable ?? (ask.method ?? "GET") === "GET";
    const policy = { ...this.#retry, attempts: ask.attempts ?? this.#retry.attempts };
    return withRetries(policy, signal, async () => {
      const outcome = await this.#attempt(ask, signal, read);
      if ("value" in outcome || (isRepeatable && isPassing(outcome.error))) return outcome;
      throw outcome.error;
    }).catch((error: unknown) => {
      throw this.failure(error, signal);
    });
  }

  async #attempt<T>(
    ask: Ask,
    signal: AbortSignal,
    read: Reading<T>,
  ): Promise<{ readonly value: T } | FailedAttempt> {
    const { method = "GET", body } = ask;
    if (this.#locate !== undefined) {
      const located = await this.#locate();
      if (located === undefined) return { error: this.#isNowhere() };
      this.#url = baseOf(located);
    }
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    const headers = this.#headers(ask, token);
    try {
      const response = await this.#fetch(this.#address(ask), {
        method,
        headers,
        signal,
        ...(body !== undefined && { body }),
      });
      this.#note(response.headers.get(positionHeader));
      if (response.ok) return { value: await read(response, token) };
      const waitMs = retryAfterMs(response.headers.get("retry-after"));
      return { error: await failureOf(response), waitMs };
    } catch (error) {
      const failure = this.failure(error, signal);
      if (this.isClosed || !isPassing(failure)) throw failure;
      return { error: failure };
    }
  }

  #isNowhere(): ClientError {
    const reason = "it has ended, or has not come back yet";
    return new ClientError("server-unreachable", `${this.url} cannot be reached: ${reason}.`, {
      details: { url: this.url, reason },
    });
  }

  #headers({ body, headers = {} }: Ask, token: string | undefined): Record<string, string> {
    assertToken(token);
    return {
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      // Another server of the same store may be behind the one that answered before.
      ...(this.#head > 0 && { [minPositionHeader]: String(this.#head) }),
      ...headers,
    };
  }

  #address({ path, query = {} }: Ask): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      for (const item of Array.isArray(value) ? value : [value]) {
        search.append(wellFormed(name), wellFormed(String(item)));
      }
    }
    const text = search.size === 0 ? "" : `?${search.toString()}`;
    return `${this.url}/${path.map((part) => encodeURIComponent(wellFormed(part))).join("/")}${text}`;
  }

  #note(header: string | null): void {
    if (header !== null && /^\d{1,16}$/.test(header)) this.reached(Number(header));
  }
}

/** @throws `argument-invalid` for what no header can hold: `fetch` would repeat the secret in its error */
function assertToken(token: string | undefined): void {
  if (token === undefined || /^[\u0021-\u007e]+$/.test(token)) return;
  throw new ClientError("argument-invalid", "The token holds characters that no token has.", {
    hint: "Give the token alone, without spaces or line ends.",
    details: { argument: "token" },
  });
}

/** @throws `argument-invalid` for half of a surrogate pair, which no address can hold */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new ClientError("argument-invalid", `${JSON.stringify(text)} is no well-formed Unicode.`, {
    details: { value: text },
  });
}

function baseOf(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (error) {
    throw addressError(url, "is no URL", error);
  }
  const { protocol, username, password, search, hash } = parsed;
  if (protocol !== "http:" && protocol !== "https:") throw addressError(url, "is no HTTP URL");
  if (username !== "" || password !== "") throw addressError(parsed.host, "comes with a password");
  if (search !== "" || hash !== "") throw addressError(url, "has a query or a fragment");
  return parsed.href.replace(/\/+$/, "");
}

function addressError(url: string | URL, why: string, cause?: unknown): ClientError {
  return new ClientError("argument-invalid", `${String(url)} ${why}.`, {
    hint: "Give the address of a server, such as http://localhost:4600; a credential is a token.",
    details: { argument: "url", value: String(url) },
    cause,
  });
}
