// Judges the history of a crash run: `node test/crash/check-history.mjs HISTORY.jsonl`; exit code 0 means sound, 1 broken.
// It knows nothing of the store's code: it has its own idea of what a history must look like.
import { createReadStream, realpathSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Fold } from "./fold.mjs";
import { difference } from "./json.mjs";

const problemsShown = 20;

/**
 * Takes the lines of a history one after the other.
 *
 * - `start`, `ack`, `refused`, `failed`: a call and its answer, in the order in which they happened
 * - `opened`: a store opened again: damage, the report of `verify`, head, and the root of the log last read
 * - `stored`: an event of the log that has not been read before; `again`: one that has
 * - `read`: the reading of the log is over; its head and root
 * - `answer`: what the store says of a record at that head
 */
export class HistoryChecker {
  #calls = new Set();
  /** By call: the events of those that have no answer. */
  #unanswered = new Map();
  /** By event id: the batch it was sent in, and the highest position acknowledged before it was first sent. */
  #sent = new Map();
  #acknowledged = new Map();
  #refused = new Set();
  #unread = [];
  #log = [];
  #positions = new Map();
  #fold = new Fold();
  #batch = [];
  #highest = 0;
  #root;
  #head = 0;
  #counts = { calls: 0, openings: 0, duplicates: 0, refusals: 0, answers: 0 };
  #problems = [];

  get problems() {
    return this.#problems;
  }

  /** Events acknowledged so far, those that the store added included. */
  get acknowledged() {
    return this.#acknowledged.size;
  }

  /** The calls that have no answer yet, as pairs of the call's name and its events. */
  unanswered() {
    return [...this.#unanswered];
  }

  take(line) {
    const handlers = {
      start: () => this.#start(line),
      ack: () => this.#ack(line),
      refused: () => this.#refuse(line),
      failed: () => this.#problem(`call ${line.call} failed: ${line.message}`),
      opened: () => this.#opened(line),
      stored: () => this.#stored(line.event),
      again: () => this.#again(line.event),
      read: () => this.#read(line),
      answer: () => this.#answer(line.view),
    };
    const handler = handlers[line.line];
    if (handler === undefined) this.#problem(`unknown line ${JSON.stringify(line.line)}`);
    else handler();
  }

  /** What is to be said once the history is over. */
  verdict() {
    if (this.#unread.length > 0) {
      this.#problem(`${this.#unread.length} acknowledged events were never looked for`);
    }
    return {
      ok: this.#problems.length === 0,
      events: this.#log.length,
      acknowledged: this.#acknowledged.size,
      ...this.#counts,
      problemCount: this.#problems.length,
      problems: this.#problems.slice(0, problemsShown),
    };
  }

  #problem(text) {
    this.#problems.push(text);
  }

  #start({ call, events }) {
    this.#counts.calls += 1;
    if (this.#calls.has(call)) this.#problem(`call ${call} started twice`);
    this.#calls.add(call);
    this.#unanswered.set(call, events);
    const ids = events.map(({ id }) => id);
    for (const event of events) {
      if (!this.#sent.has(event.id)) {
        this.#sent.set(event.id, { event, ids, after: this.#highest });
      }
    }
  }

  #settle(call) {
    const events = this.#unanswered.get(call);
    if (events === undefined) this.#problem(`call ${call} has an answer too many`);
    this.#unanswered.delete(call);
    return events ?? [];
  }

  #ack({ call, events }) {
    const sent = this.#settle(call).map(({ id }) => id);
    const answered = events.map(({ id }) => id);
    const wrong = difference(answered, sent);
    if (wrong !== undefined) this.#problem(`call ${call} is answered for other events: ${wrong}`);
    if (new Set(events.map(({ status }) => status)).size > 1) {
      this.#problem(`call ${call} was stored in part: some of its events are duplicates`);
    }
    for (const event of events) {
      if (event.status === "duplicate") this.#counts.duplicates += 1;
      for (const place of [event, ...event.added]) this.#acknowledge(call, place);
    }
    const positions = events.flatMap((event) => [event, ...event.added]);
    this.#highest = Math.max(this.#highest, ...positions.map(({ position }) => position));
  }

  #acknowledge(call, { id, position, version }) {
    const before = this.#acknowledged.get(id);
    if (before !== undefined && (before.position !== position || before.version !== version)) {
      this.#problem(`event ${id} of call ${call} was acknowledged at two places`);
    }
    this.#acknowledged.set(id, { position, version });
    this.#unread.push({ call, id, position, version });
    this.#checkOrder(id, position);
  }

  /** Real time: what was acknowledged before another was sent stands before it. */
  #checkOrder(id, position) {
    const sent = this.#sent.get(id);
    if (sent !== undefined && position <= sent.after) {
      this.#problem(
        `event ${id} stands at ${position}, but ${sent.after} was acknowledged before it was sent`,
      );
    }
  }

  #refuse({ call }) {
    this.#counts.refusals += 1;
    for (const { id } of this.#settle(call)) {
      if (!this.#positions.has(id)) this.#refused.add(id);
    }
  }

  #opened({ damage, verified, head, previousRoot }) {
    this.#counts.openings += 1;
    this.#head = head;
    if (damage !== null) this.#problem(`opened with damage ${damage}`);
    if (!verified) this.#problem("verify found a problem");
    if (head < this.#log.length) this.#problem(`the head went back to ${head}`);
    if (this.#root !== undefined && previousRoot !== this.#root) {
      this.#problem(`the first ${this.#log.length} events are not those read before`);
    }
  }

  #stored(event) {
    const { id, position } = event;
    if (position !== this.#log.length + 1) {
      this.#problem(`position ${position} follows ${this.#log.length}`);
    }
    if (this.#positions.has(id)) this.#problem(`event ${id} is stored more than once`);
    if (this.#refused.has(id)) this.#problem(`event ${id} was refused, and is stored`);
    if (this.#batch.length > 0 && this.#batch[0].recordedAt !== event.recordedAt) this.#endBatch();
    const { recordedAt = "" } = this.#log.at(-1) ?? {};
    if (event.recordedAt < recordedAt) this.#problem(`position ${position} is earlier in time`);
    this.#batch.push(event);
    this.#log.push({
      id,
      position,
      version: event.version,
      hash: event.hash,
      recordedAt: event.recordedAt,
    });
    this.#positions.set(id, position);
    this.#checkOrder(id, position);
    const wrong = this.#fold.take(event, this.#sent.get(id)?.event);
    if (wrong !== undefined) this.#problem(`event ${id} at ${position}: ${wrong}`);
  }

  /** All events of one batch have one time: those sent must be exactly what one call sent, in its order. */
  #endBatch() {
    const given = this.#batch.map(({ id }) => id).filter((id) => this.#sent.has(id));
    const whole = this.#sent.get(given[0])?.ids ?? [];
    const wrong = given.length === 0 ? "no call sent it" : difference(given, whole);
    if (wrong !== undefined) {
      this.#problem(`the batch at ${this.#batch[0].position} is not whole: ${wrong}`);
    }
    this.#batch = [];
  }

  #again({ id, position, version, hash }) {
    const known = this.#log[position - 1];
    if (known?.id !== id || known.version !== version || known.hash !== hash) {
      this.#problem(`position ${position} reads otherwise than before`);
    }
  }

  #read({ head, root }) {
    if (this.#batch.length > 0) this.#endBatch();
    if (head !== this.#log.length || head !== this.#head) {
      this.#problem(`the head is ${head}, but ${this.#log.length} events were read`);
    }
    for (const { call, id, position, version } of this.#unread) {
      const stored = this.#log[position - 1];
      if (stored?.id === id && stored.version === version) continue;
      this.#problem(`lost: event ${id} of call ${call}, acknowledged at ${position}`);
    }
    this.#unread = [];
    this.#root = root;
    for (const wrong of this.#fold.unsound()) this.#problem(wrong);
  }

  #answer(view) {
    this.#counts.answers += 1;
    const wrong = this.#fold.compare(view);
    if (wrong !== undefined) this.#problem(`the answer for ${view.id} differs: ${wrong}`);
  }
}

async function checkFile(path) {
  const checker = new HistoryChecker();
  for await (const text of createInterface({ input: createReadStream(path) })) {
    checker.take(JSON.parse(text));
  }
  return checker.verdict();
}

const [program, path] = process.argv.slice(1);
if (program !== undefined && realpathSync(program) === fileURLToPath(import.meta.url)) {
  try {
    const verdict = await checkFile(path);
    process.stdout.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
    process.exitCode = verdict.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`check-history: ${String(error)}\n`);
    process.exitCode = 2;
  }
}
