/** One HTTP/1.1 request on a bare socket, written piece by piece: what no well-behaved client would send. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class RawRequest {
  readonly socket: Socket;
  #received = "";
  #waiting: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#waiting?.();
    });
    socket.on("error", () => undefined);
    socket.on("drain", () => this.#waiting?.());
    socket.on("close", () => this.#waiting?.());
  }

  /** Connects and sends the head of a request. */
  static async open(
    port: number,
    line: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<RawRequest> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    const request = new RawRequest(socket);
    const lines = Object.entries({ host: "localhost", ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.write(`${line} HTTP/1.1\r\n${lines.join("")}\r\n`);
    return request;
  }

  /** Everything received so far. */
  get received(): string {
    return this.#received;
  }

  /** Sends bytes as they are; waits while the socket takes no more. */
  async send(bytes: string | Uint8Array): Promise<void> {
    if (this.socket.destroyed || this.socket.write(bytes)) return;
    while (!this.socket.destroyed && this.socket.writableNeedDrain) {
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** Sends a chunk of a chunked body. */
  async chunk(bytes: string | Uint8Array): Promise<void> {
    const content = Buffer.from(bytes as string);
    await this.send(
      Buffer.concat([
        Buffer.from(`${content.length.toString(16)}\r\n`),
        content,
        Buffer.from("\r\n"),
      ]),
    );
  }

  /** Waits until what was received matches. @throws when the socket closes before */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received)) {
      if (this.socket.destroyed) throw new Error(`closed after ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
    return this.#received;
  }

  /** Waits until the server has ended the connection, and gives all that was received. */
  async untilClosed(): Promise<string> {
    this.socket.once("end", () => this.socket.end());
    while (!this.socket.destroyed) {
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
    return this.#received;
  }
}
