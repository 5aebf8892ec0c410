/** A connection on which bytes are sent as they are, and what comes back of it. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { testCertificate } from "./test-certificate.ts";

export interface WireOptions {
  /** Default false. */
  readonly isTls?: boolean;
}

export class Wire {
  readonly socket: Socket;
  received = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => (this.received += bytes.toString("latin1")));
    socket.on("error", () => undefined);
  }

  static async open(port: number, { isTls = false }: WireOptions = {}): Promise<Wire> {
    const to = { port, host: "127.0.0.1", allowHalfOpen: true };
    const socket = isTls ? connectTls({ ...to, ca: testCertificate }) : connect(to);
    const wire = new Wire(socket);
    await once(socket, isTls ? "secureConnect" : "connect");
    return wire;
  }

  /** All that comes until the server ends the connection. */
  async untilEnd(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed) {
      await Promise.race([once(this.socket, "end"), once(this.socket, "close")]);
    }
    this.socket.destroy();
    return this.received;
  }
}

/** What comes back for bytes, until the server ends the connection. */
export async function exchange(
  port: number,
  bytes: string | Uint8Array,
  options: WireOptions = {},
): Promise<string> {
  const wire = await Wire.open(port, options);
  wire.socket.write(bytes);
  return wire.untilEnd();
}

export function statusesIn(received: string): number[] {
  return [...received.matchAll(/(?:^|\n|\})HTTP\/1\.1 (\d{3}) /g)].map(([, status]) =>
    Number(status),
  );
}

/** A request whose connection ends with its answer. */
export function get(target: string, ...headers: readonly string[]): string {
  const lines = ["Host: localhost", "Connection: close", ...headers];
  return `GET ${target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}
