// Appends and reads over many connections, and remembers what was acknowledged.
import { randomUUID } from "node:crypto";

import { Connection } from "./connection.mjs";

/** Of 100 requests, so many append; the others read what was acknowledged, by this connection or another. */
const appendsOf100 = 50;
const recordsOfConnection = 20;

export class Load {
  problems = [];
  /** What was acknowledged, in the order of its acknowledgement: {recordId, version, position, n}. */
  acknowledged = [];
  requests = { append: 0, read: 0, asOf: 0, refused: 0, resent: 0 };
  #connections;
  #number = 0;
  #url;
  #isStopped = false;
  #whenUp;

  constructor(url, count) {
    this.#url = url;
    this.#connections = Array.from({ length: count }, () => new Connection(url, this.problems));
  }

  /** Resolves when all connections have stopped. */
  async run() {
    await Promise.all(this.#connections.map((connection, at) => this.#work(connection, at)));
    for (const connection of this.#connections) connection.close();
  }

  stop() {
    this.#isStopped = true;
  }

  /** From now on requests that fail wait for `up`. */
  down() {
    this.#whenUp ??= Promise.withResolvers?.() ?? withResolvers();
  }

  up(url) {
    this.#url = url;
    for (const connection of this.#connections) connection.moveTo(url);
    this.#whenUp?.resolve();
    this.#whenUp = undefined;
  }

  async #work(connection, at) {
    const versions = new Map();
    while (!this.#isStopped) {
      if (Math.random() * 100 < appendsOf100) await this.#append(connection, at, versions);
      else await this.#read(connection);
    }
  }

  /** Sends the request until it is answered: what a kill has cut short is sent again, with the same ids. */
  async #ask(connection, method, path, options) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await connection.ask(method, path, options);
        if (answer.status < 500) return answer;
        if (answer.status !== 503) this.problems.push(`${method} ${path}: ${answer.text}`);
        this.requests.refused += 1;
      } catch (error) {
        if (this.#whenUp === undefined && attempt > 100) throw error;
      }
      this.requests.resent += 1;
      await this.#whenUp?.promise;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #append(connection, at, versions) {
    const recordId = `r-${at}-${Math.floor(Math.random() * recordsOfConnection)}`;
    const known = versions.get(recordId) ?? 0;
    const n = (this.#number += 1);
    const content = { attributes: { n } };
    const event =
      known === 0
        ? { type: "record.created", data: { kind: "load", name: recordId, ...content } }
        : { type: "record.updated", data: { patch: content } };
    const body = { id: uuid7(), recordId, ...event };
    const { status, value, text } = await this.#ask(connection, "POST", "/v1/events", { body });
    this.requests.append += 1;
    if (status !== 200) {
      this.problems.push(`append of ${recordId}: ${status} ${text}`);
      return;
    }
    const [{ version, position }] = value.events;
    if (version !== known + 1) {
      this.problems.push(`${recordId} has version ${version} after ${known}`);
    }
    versions.set(recordId, version);
    this.acknowledged.push({ recordId, version, position, n });
  }

  async #read(connection) {
    const { length } = this.acknowledged;
    if (length === 0) return;
    const { recordId, version, position, n } =
      this.acknowledged[Math.floor(Math.random() * length)];
    const isAsOf = Math.random() < 0.3;
    const path = `/v1/records/${recordId}${isAsOf ? `?as-of=${position}` : ""}`;
    const answer = await this.#ask(connection, "GET", path, { atLeast: position });
    this.requests[isAsOf ? "asOf" : "read"] += 1;
    const { value } = answer;
    const isRight =
      answer.status === 200 &&
      (isAsOf ? value.version === version : value.version >= version) &&
      (value.version !== version || value.attributes.n === n);
    if (!isRight) this.problems.push(`${path}, acknowledged at ${position}: ${answer.text}`);
  }

  /** Compares the whole log with what was acknowledged. */
  async check() {
    const connection = new Connection(this.#url, this.problems);
    const at = new Map();
    const numbers = new Set();
    let from = 1;
    while (from !== undefined) {
      const { value } = await connection.ask("GET", `/v1/events?from=${from}&limit=1000`);
      for (const event of value.events) {
        if (event.position !== at.size + 1) this.problems.push(`a gap before ${event.position}`);
        const { attributes } = event.data.patch ?? event.data;
        if (numbers.has(attributes.n)) this.problems.push(`event ${attributes.n} is there twice`);
        numbers.add(attributes.n);
        at.set(event.position, { ...event, n: attributes.n });
      }
      from = value.nextFrom;
    }
    connection.close();
    for (const { recordId, version, position, n } of this.acknowledged) {
      const found = at.get(position);
      const isThere = found?.recordId === recordId && found.version === version && found.n === n;
      if (!isThere) this.problems.push(`${recordId}@${version} at ${position} is lost`);
    }
    return at.size;
  }
}

/** An event id made by the sender: what is sent again under it is stored once. */
function uuid7() {
  const time = Date.now().toString(16).padStart(12, "0");
  const rest = randomUUID().slice(14);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(1)}`;
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
