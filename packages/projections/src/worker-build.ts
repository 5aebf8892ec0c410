/** Has a build made by a thread of its own, which gets the stored bytes of the log and leaves a database behind. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import type { EmbeddedStore, Position } from "@sennit/core";

import type { BuildRef } from "./builds.ts";
import { RateMeter } from "./progress.ts";
import type { ProjectionDefinition } from "./projection.ts";
import type { FromWorker, ToWorker, WorkerTask } from "./worker-messages.ts";

/** Messages on their way to the thread at most: each holds the bytes of one read of the log, about a mebibyte at most. */
const inFlightMax = 4;

/** The program of the thread. Run from source, it is the built one, because Node cannot run the source in all versions. */
const program = new URL(
  import.meta.url.endsWith(".ts") ? "../dist/rebuild-worker.js" : "./rebuild-worker.js",
  import.meta.url,
);

/** What is made, and where. */
export interface WorkerBuildSettings {
  readonly store: EmbeddedStore;
  readonly definition: ProjectionDefinition;
  readonly isBuiltIn: boolean;
  readonly ref: BuildRef;
  readonly path: string;
  /** Called when it has got further. */
  readonly onProgress: () => void;
}

/** True when a thread could find the definition. */
export function canBuildInWorker(definition: ProjectionDefinition, isBuiltIn: boolean): boolean {
  return (isBuiltIn || definition.source !== undefined) && existsSync(fileURLToPath(program));
}

/** A build being made up to the head there was when it began. */
export class WorkerBuild {
  /** Up to where its rows are durable. */
  position: Position = 0;
  /** Resolves when the thread has ended and its database is closed: true when its rows must not be used. Rejects when it failed. */
  readonly done: Promise<boolean>;
  readonly #settings: WorkerBuildSettings;
  readonly #worker: Worker;
  readonly #stop = new AbortController();
  readonly #meter = new RateMeter();
  #inFlight = 0;
  #isPaused = false;
  #wake: () => void = () => undefined;

  constructor(settings: WorkerBuildSettings) {
    this.#settings = settings;
    const { definition, isBuiltIn, ref, path } = settings;
    const { name, version, source = null } = definition;
    const { begunAt } = ref;
    const task: WorkerTask = {
      path,
      name,
      version,
      begunAt,
      source: isBuiltIn ? null : source,
    };
    this.#worker = new Worker(program, { workerData: task, execArgv: [] });
    this.done = this.#watch();
    // Whoever waits for it is told; until then it must not count as a failure nobody looks at.
    this.done.catch(() => undefined);
  }

  get eventsPerSecond(): number {
    return this.#meter.perSecond;
  }

  /** Sends nothing more until it is resumed. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  /** Has it end after what it has been sent. */
  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  #watch(): Promise<boolean> {
    let outcome: { readonly isVoid: boolean } | { readonly error: unknown } | undefined;
    return new Promise((resolve, reject) => {
      this.#worker.on("message", (message: FromWorker) => {
        if (message.type === "done") outcome = { isVoid: message.isVoid };
        else if (message.type === "failed") outcome = { error: new Error(message.message) };
        else this.#heard(message, (error) => (outcome ??= { error }));
      });
      this.#worker.on("error", (error) => {
        outcome ??= { error };
      });
      // Only then is the database closed for sure.
      this.#worker.on("exit", (code) => {
        this.#stop.abort();
        this.#wake();
        if (outcome !== undefined && "isVoid" in outcome) resolve(outcome.isVoid);
        else reject(outcome?.error ?? new Error(`The thread ended with code ${code}.`));
      });
    });
  }

  #heard(
    message: Exclude<FromWorker, { type: "done" | "failed" }>,
    onError: (error: unknown) => void,
  ): void {
    if (message.type === "folded") {
      this.#inFlight -= 1;
      this.#wake();
      return;
    }
    if (message.type === "written") {
      this.#meter.add(message.position - this.position, performance.now());
    } else {
      this.#meter.begin(performance.now());
      this.#feed(message.position + 1).catch(onError);
    }
    this.position = message.position;
    this.#settings.onProgress();
  }

  async #feed(from: Position): Promise<void> {
    const { store } = this.#settings;
    const { signal } = this.#stop;
    try {
      for await (const entries of store.log.readStoredEntries({ from })) {
        while ((this.#inFlight >= inFlightMax || this.#isPaused) && !signal.aborted) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        if (signal.aborted) break;
        const [first] = entries;
        if (first === undefined) continue;
        this.#inFlight += 1;
        const message = packed(
          first[0],
          entries.map(([, value]) => value),
        );
        this.#worker.postMessage(message, [message.bytes]);
      }
    } finally {
      const end: ToWorker = { type: "end" };
      this.#worker.postMessage(end, []);
    }
  }
}

function packed(
  from: Position,
  values: readonly Uint8Array[],
): Extract<ToWorker, { type: "entries" }> {
  const lengths = Uint32Array.from(values, ({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
  }
  return { type: "entries", from, lengths, bytes: bytes.buffer };
}
