// Writes the history of a crash run: one JSON line when a call starts, one when its answer is there.
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";

import { isStoreError } from "@sennit/core";

/** What a store may answer to a sound batch whose records are not there, or are there already. */
const domainRefusals = new Set([
  "record-already-exists",
  "record-not-found",
  "source-unknown",
  "version-not-found",
]);

/** A history file that lines are appended to. A line that was written survives the death of its process. */
export class Recorder {
  #file;

  constructor(path) {
    this.#file = openSync(path, "a");
  }

  write(line) {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** Appends a batch, and writes its start before the call and its answer after. */
  async append(store, call, events) {
    this.write({ line: "start", call, events });
    try {
      const { events: answers } = await store.append(events);
      this.write({ line: "ack", call, events: answers.map(answerOf) });
    } catch (error) {
      const code = isStoreError(error) ? error.code : "none";
      const isRefusal = domainRefusals.has(code);
      this.write({ line: isRefusal ? "refused" : "failed", call, code, message: String(error) });
      if (!isRefusal) throw error;
    }
  }

  close() {
    closeSync(this.#file);
  }
}

function answerOf({ status, eventId, position, version, placeholders, consequences }) {
  return {
    id: eventId,
    status,
    position,
    version,
    added: [...placeholders, ...consequences].map((event) => ({
      id: event.id,
      position: event.position,
      version: event.version,
    })),
  };
}

/** Takes away the part of a line that a killed process may leave: it says nothing about an acknowledgement. */
export function dropTornLine(path) {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) truncateSync(path, end);
}
