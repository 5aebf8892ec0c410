/** Reads a stream of Server-Sent Events as the standard says, message by message. */

export interface Message {
  /** Of this message or one before it; empty when there was none. */
  readonly lastEventId: string;
  readonly event: string;
  readonly data: unknown;
}

export class EventSourceReader {
  readonly response: Response;
  readonly #abort: AbortController;
  readonly #messages: AsyncGenerator<Message>;
  /** Also what heartbeats have said. */
  lastEventId = "";
  heartbeats = 0;
  retryMs: number | undefined;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#messages = this.#read();
  }

  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EventSourceReader> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: { accept: "text/event-stream", ...headers },
      signal: abort.signal,
    });
    return new EventSourceReader(response, abort);
  }

  /** The next message; undefined when the stream has ended. */
  async next(): Promise<Message | undefined> {
    const { value, done } = await this.#messages.next();
    return done === true ? undefined : value;
  }

  /** As many messages as are asked for. */
  async take(count: number): Promise<Message[]> {
    const messages: Message[] = [];
    while (messages.length < count) {
      const message = await this.next();
      if (message === undefined) throw new Error(`It ended after ${messages.length} messages.`);
      messages.push(message);
    }
    return messages;
  }

  close(): void {
    this.#abort.abort();
  }

  async *#read(): AsyncGenerator<Message> {
    let event = "message";
    let data: string[] = [];
    for await (const line of lines(this.response)) {
      const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (line === "") {
        if (data.length > 0) {
          yield { lastEventId: this.lastEventId, event, data: JSON.parse(data.join("\n")) };
        }
        event = "message";
        data = [];
      } else if (field === "") {
        this.heartbeats += 1;
      } else if (field === "id") {
        this.lastEventId = value;
      } else if (field === "event") {
        event = value;
      } else if (field === "data") {
        data.push(value);
      } else if (field === "retry") {
        this.retryMs = Number(value);
      } else {
        throw new Error(`A line of a stream begins with "${field}".`);
      }
    }
  }
}

async function* lines({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    const parts = rest.split(/\r\n|\r|\n/);
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
