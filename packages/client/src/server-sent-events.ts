/** Reads Server-Sent Events, and takes a stream up again where it broke off. */
import { joinSignals } from "./abort.ts";
import { ClientError } from "./client-error.ts";
import { linesOf } from "./lines.ts";
import { failureOfProblem, type Problem } from "./problem.ts";
import { backOffMs, isPassing } from "./retry.ts";
import type { Ask, Transport } from "./transport.ts";

/** A server that stops ends its streams, and may be there again in a moment. */
const ended = new ClientError("server-unreachable", "The server has ended the stream.");

/** One message of a stream. */
export interface Message {
  /** Default `message`. */
  readonly event: string;
  readonly data: string;
  /** Where the stream can be taken up: of this message, or the last that had one. */
  readonly id: string | undefined;
}

/** A live stream says something at least this often, if only that it is still there, milliseconds. */
const silenceMsMax = 60_000;

/** The messages of one connection. @param onBlock called behind whatever was said, with the last id told */
export async function* messagesOf(
  body: ReadableStream<Uint8Array>,
  onBlock: (id: string | undefined) => void = () => undefined,
): AsyncGenerator<Message> {
  let id: string | undefined;
  let event = "message";
  let data: string[] = [];
  for await (const line of linesOf(body)) {
    if (line === "") {
      onBlock(id);
      if (data.length > 0) yield { event, data: data.join("\n"), id };
      event = "message";
      data = [];
      continue;
    }
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  }
}

/** Last messages of a stream that the server ends, and that can be taken up again. */
const endings: ReadonlySet<string> = new Set(["closing", "cut-off"]);

/**
 * The messages of a stream, whatever happens to its connections: it is taken up behind the last id that was told. It ends when
 * the client is closed. A stream that the server ends for its token is taken up only where a function gives the next one.
 *
 * @throws what the server tells, `server-unreachable` once it has not come back, `aborted`
 */
export async function* liveMessages(transport: Transport, ask: Ask): AsyncGenerator<Message> {
  let failures = 0;
  let lastId: string | undefined;
  let endedToken: string | undefined;
  while (!transport.isClosed) {
    const silence = new Silence();
    const joined = joinSignals([ask.signal, silence.signal]);
    const onBlock = (id: string | undefined): void => {
      failures = 0;
      lastId = id ?? lastId;
      silence.wait();
    };
    let failure = ended;
    try {
      const headers = {
        accept: "text/event-stream",
        ...(lastId !== undefined && { "last-event-id": lastId }),
      };
      silence.wait();
      const answer = await transport.open({ ...ask, headers, signal: joined.signal, attempts: 1 });
      try {
        for await (const message of messagesOf(answer.body, onBlock)) {
          if (endings.has(message.event)) break;
          if (message.event === "problem") {
            const told = failureOfProblem(JSON.parse(message.data) as Problem);
            // A token that has ended may have a next one. With the same one this would go on for ever.
            const isRenewed = transport.renewsToken && answer.token !== endedToken;
            if (told.code !== "unauthenticated" || !isRenewed) throw told;
            endedToken = answer.token;
            break;
          }
          // However long the message is looked at, the server is not silent meanwhile.
          silence.stop();
          yield message;
          silence.wait();
        }
      } finally {
        answer.release();
      }
    } catch (error) {
      failure = silence.error ?? transport.failure(error, ask.signal);
    } finally {
      silence.stop();
      joined.release();
    }
    failures += 1;
    await waitForNext(transport, failure, failures, ask.signal);
  }
}

/** @throws the failure if it is no use to try again, `aborted` */
async function waitForNext(
  transport: Transport,
  failure: ClientError,
  failures: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { retry, isClosed } = transport;
  if (isClosed) return;
  if (!isPassing(failure) || failures >= retry.liveAttempts) throw failure;
  try {
    await transport.pause(backOffMs(retry, failures), signal);
  } catch (error) {
    if (!transport.isClosed) throw error;
  }
}

/** Gives a connection up on which nothing comes any more. */
class Silence {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  error: ClientError | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on, something must come. */
  wait(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const message = `The server has said nothing for ${silenceMsMax / 1000} seconds.`;
      this.error = new ClientError("server-unreachable", message);
      this.#controller.abort(this.error);
    }, silenceMsMax);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
