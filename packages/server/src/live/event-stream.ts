/** Sends what an iteration gives as Server-Sent Events, as fast as the caller takes it and no faster. */
import type { ServerResponse } from "node:http";

import { isStoreError, type Position } from "@sennit/core";
import type { FastifyRequest } from "fastify";

import { auditRefusal } from "../access/audit.ts";
import type { Settings } from "../config/settings.ts";
import { problemOf } from "../problem.ts";
import type { Exchange } from "../route.ts";
import { formatFrame, formatHeartbeat, type Frame } from "./frame.ts";

export interface EventStream {
  /** The head when the stream begins. */
  readonly position: Position;
  /** The position to resume after until a message has said another one. */
  readonly start?: Position | undefined;
  /** The messages; a number is a position that was reached without one. It stops when the signal fires. */
  readonly messages: (signal: AbortSignal) => AsyncIterable<Frame | Position>;
}

/** Milliseconds between two looks at a caller that does not read, and for the last message to get through to it. */
const lookMs = 250;
const farewellMs = 2000;

/**
 * Answers with a stream, until the caller goes, its credential ends, the messages end or fail, the server shuts down, or the
 * caller has not taken what waits for it in time. But for the first, the last message says why and from where to resume.
 *
 * @throws `too-many-streams`, before anything is sent
 */
export async function sendEventStream(exchange: Exchange, stream: EventStream): Promise<void> {
  const { reply, request, streams, settings } = exchange;
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    connection: "close",
    "sennit-position": String(stream.position),
  };
  if (request.method === "HEAD") {
    void reply.headers(headers).send();
    return;
  }
  const place = streams.take();
  const sender = new Sender(reply.raw, settings, request, stream.start);
  try {
    reply.hijack();
    reply.raw.writeHead(200, { ...plainHeaders(reply.getHeaders()), ...headers });
    await sender.send(stream.messages, exchange.signal, place.closing);
  } finally {
    place.release();
  }
}

function plainHeaders(
  headers: Readonly<Record<string, number | string | string[] | undefined>>,
): Record<string, number | string | string[]> {
  const given: Record<string, number | string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) given[name] = value;
  return given;
}

/** Why a stream is ended from here. */
type End = "closing" | "cut-off";

class Sender {
  readonly #socket: ServerResponse;
  readonly #settings: Settings;
  readonly #request: FastifyRequest;
  readonly #stop = new AbortController();
  #resume: Position | undefined;
  #end: End | undefined;

  constructor(
    socket: ServerResponse,
    settings: Settings,
    request: FastifyRequest,
    start: Position | undefined,
  ) {
    this.#request = request;
    this.#socket = socket;
    this.#settings = settings;
    this.#resume = start;
  }

  /** Resolves when the stream has ended, whatever ended it. */
  async send(
    messages: EventStream["messages"],
    gone: AbortSignal,
    closing: AbortSignal,
  ): Promise<void> {
    const leave = () => this.#stop.abort();
    const close = () => this.#endWith("closing");
    gone.addEventListener("abort", leave, { once: true });
    closing.addEventListener("abort", close, { once: true });
    if (gone.aborted) leave();
    if (closing.aborted) close();
    // Quiet is usual here, and a caller that is no longer there is found by heartbeats.
    this.#socket.socket?.setTimeout(0);
    const { heartbeatSeconds, streamRetrySeconds } = this.#settings;
    const beat = setInterval(() => this.#heartbeat(), heartbeatSeconds * 1000);
    try {
      this.#socket.write(`retry: ${Math.round(streamRetrySeconds * 1000)}\n\n`);
      await this.#pump(messages(this.#stop.signal));
      if (gone.aborted) await this.#dismiss(gone.reason);
      else await this.#farewell({ event: this.#end ?? "closing", data: this.#rest() });
    } catch (error) {
      if (!gone.aborted) await this.#fail(error);
    } finally {
      clearInterval(beat);
      gone.removeEventListener("abort", leave);
      closing.removeEventListener("abort", close);
      this.#stop.abort();
      // What was handed over whole is on its way; anything else nobody waits for any more.
      if (!this.#socket.writableFinished) this.#socket.destroy();
    }
  }

  async #pump(messages: AsyncIterable<Frame | Position>): Promise<void> {
    const { signal } = this.#stop;
    try {
      for await (const message of messages) {
        if (signal.aborted) return;
        if (typeof message === "number") {
          this.#resume = message;
          continue;
        }
        this.#socket.write(formatFrame(message));
        this.#resume = message.id ?? this.#resume;
        if (this.#isFull()) await this.#taken();
      }
    } catch (error) {
      if (!signal.aborted || !isStoreError(error) || error.code !== "aborted") throw error;
    }
  }

  /** Waits until the caller has taken some of what waits for it; cuts it off when that takes too long. */
  async #taken(): Promise<void> {
    const { signal } = this.#stop;
    const until = performance.now() + this.#settings.streamStallSeconds * 1000;
    while (this.#isFull() && !signal.aborted) {
      if (performance.now() > until) this.#endWith("cut-off");
      else await pause(lookMs, this.#socket, signal);
    }
  }

  #isFull(): boolean {
    return this.#socket.writableLength > this.#settings.streamBufferBytes;
  }

  #heartbeat(): void {
    if (!this.#isFull()) this.#socket.write(formatHeartbeat(this.#resume));
  }

  #endWith(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#request.log.info({ end, ...this.#rest() }, "stream ended");
    this.#stop.abort();
  }

  #rest(): { readonly resumeAfter: Position | null } {
    return { resumeAfter: this.#resume ?? null };
  }

  /** Tells a caller that it may listen no longer. One that has gone is told nothing. */
  async #dismiss(reason: unknown): Promise<void> {
    if (!isStoreError(reason)) return;
    const problem = problemOf(reason, this.#request.id);
    auditRefusal(this.#request, reason, problem.status);
    await this.#farewell({ event: "problem", data: problem });
  }

  async #fail(error: unknown): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    await this.#farewell({ event: "problem", data: problemOf(error, this.#request.id) });
  }

  /** Sends the last message, and waits for the caller to take it, but not for long. */
  async #farewell(frame: Frame): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, farewellMs);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      socket.once("close", done);
      socket.end(formatFrame({ ...frame, id: this.#resume }), done);
    });
  }
}

/** Waits for a time, until the socket is empty, or until the signal fires. */
function pause(ms: number, socket: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      socket.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    socket.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
  });
}
