// One connection to a server: asks one request after the other, and sees that the log never gets shorter.
import { Agent, request } from "node:http";

export class Connection {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #url;
  #seen = 0;
  #problems;

  /** @param problems gets what must not be */
  constructor(url, problems) {
    this.#url = url;
    this.#problems = problems;
  }

  /** Another process answers for the same store. */
  moveTo(url) {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#url = url;
  }

  /** Rejects when the connection breaks. */
  async ask(method, path, { body, atLeast } = {}) {
    const headers = {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(atLeast !== undefined && { "sennit-min-position": String(atLeast) }),
    };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await new Promise((resolve, reject) => {
      const { hostname, port } = this.#url;
      const options = { agent: this.#agent, hostname, port, method, path, headers };
      const sent = request(options, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("aborted", () => reject(new Error("aborted")));
        response.on("end", () => {
          const { statusCode: status, headers: given } = response;
          const value = Buffer.concat(chunks).toString();
          resolve({ status, position: Number(given["sennit-position"]), text: value });
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
    this.#look(`${method} ${path}`, answer.position, atLeast);
    return { ...answer, value: JSON.parse(answer.text) };
  }

  close() {
    this.#agent.destroy();
  }

  #look(what, position, atLeast = 0) {
    // An answer as of an earlier instant speaks for that one.
    if (what.includes("as-of=")) return;
    if (position < this.#seen) {
      this.#problems.push(`${what}: speaks for ${position} after ${this.#seen}`);
    }
    if (position < atLeast) this.#problems.push(`${what}: speaks for ${position}, not ${atLeast}`);
    this.#seen = Math.max(this.#seen, position);
  }
}
