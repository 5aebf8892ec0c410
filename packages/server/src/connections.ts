/** The connections of a server, and how they end when it closes: those with a request once that is answered. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export class Connections {
  /** Requests on their way, by connection. */
  readonly #requests = new Map<Socket, number>();
  /** Those that TLS has not secured yet, by where they come from: they become others when it has. */
  readonly #unsecured = new Map<string, Socket>();
  /** One for all answers, and never taken off: it is called once per answer as it is. */
  readonly #onAnswered: (this: ServerResponse) => void;
  #isClosing = false;

  constructor(server: Server, isTls: boolean) {
    const end = (socket: Socket): void => this.#end(socket);
    this.#onAnswered = function onAnswered() {
      end(this.req.socket);
    };
    server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => this.#add(socket));
    if (isTls) server.on("connection", (socket: Socket) => this.#await(socket));
    server.on("request", (request, response) => this.#begin(request, response));
  }

  get count(): number {
    return this.#requests.size;
  }

  /** Ends those that have nothing to do, now and whenever one is done. Node would wait for those that never asked. */
  close(): void {
    this.#isClosing = true;
    for (const [socket, requests] of this.#requests) {
      if (requests === 0) socket.destroySoon();
    }
    for (const socket of this.#unsecured.values()) socket.destroy();
  }

  /** Ends all of them, whatever they wait for. */
  destroy(): void {
    for (const socket of this.#requests.keys()) socket.destroy();
  }

  #await(socket: Socket): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    const from = originOf(socket);
    this.#unsecured.set(from, socket);
    socket.once("close", () => {
      if (this.#unsecured.get(from) === socket) this.#unsecured.delete(from);
    });
  }

  #add(socket: Socket): void {
    this.#unsecured.delete(originOf(socket));
    this.#requests.set(socket, 0);
    socket.once("close", () => this.#requests.delete(socket));
    if (this.#isClosing) socket.destroySoon();
  }

  #begin({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#count(socket, 1);
    response.on("close", this.#onAnswered);
  }

  #end(socket: Socket): void {
    this.#count(socket, -1);
    if (this.#isClosing && this.#requests.get(socket) === 0) socket.destroySoon();
  }

  #count(socket: Socket, change: number): void {
    const requests = this.#requests.get(socket);
    if (requests !== undefined) this.#requests.set(socket, requests + change);
  }
}

function originOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
