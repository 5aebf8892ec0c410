/** The thread that makes a build: it decodes the entries it is sent, folds them, and writes a database of its own. */
import { parentPort, workerData } from "node:worker_threads";

import type { RecordedEvent } from "@sennit/core";
import { decodeFoldedEvent, Entry } from "@sennit/core/storage";

import { openBuildToMake } from "./builds.ts";
import { emptyCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { foldLog } from "./fold-log.ts";
import { defineProjection, type ProjectionDefinition } from "./projection.ts";
import { ProjectionRows } from "./projection-rows.ts";
import { builtInProjections } from "./read-models/built-in.ts";
import { deepFreeze } from "./shared-log.ts";
import type { FromWorker, ToWorker, WorkerTask } from "./worker-messages.ts";

const task = workerData as WorkerTask;

function say(message: FromWorker): void {
  parentPort?.postMessage(message, []);
}

/** Messages in the order they came, until the last one. */
async function* received(): AsyncGenerator<Exclude<ToWorker, { type: "end" }>> {
  const waiting: ToWorker[] = [];
  let wake: (() => void) | undefined;
  parentPort?.on("message", (message: ToWorker) => {
    waiting.push(message);
    wake?.();
  });
  while (true) {
    const message = waiting.shift();
    if (message === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    } else if (message.type === "end") return;
    else yield message;
  }
}

async function* decoded(freezes: boolean): AsyncGenerator<Iterable<RecordedEvent>> {
  for await (const message of received()) {
    yield eventsOf(message, freezes);
    say({ type: "folded" });
  }
}

/** Decodes events when they are asked for: those that are folded at once cost the garbage collector least. */
function* eventsOf(
  { from, lengths, bytes }: Exclude<ToWorker, { type: "end" }>,
  freezes: boolean,
): Generator<RecordedEvent> {
  const all = Buffer.from(bytes);
  let start = 0;
  for (let index = 0; index < lengths.length; index += 1) {
    const position = from + index;
    const end = start + (lengths[index] as number);
    if (freezes) {
      const event = Entry.decode(position, all.subarray(start, end)).event();
      deepFreeze(event);
      yield event;
    } else yield decodeFoldedEvent(position, { bytes: all, start, end });
    start = end;
  }
}

async function loadDefinition(): Promise<ProjectionDefinition> {
  const { source, name, version } = task;
  const found: unknown =
    source === null
      ? builtInProjections.find((definition) => definition.name === name)
      : ((await import(source.module)) as Record<string, unknown>)[source.export];
  const definition = defineProjection(found as ProjectionDefinition);
  if (definition.name !== name || definition.version !== version) {
    throw new TypeError(`The module holds ${definition.name} ${definition.version}.`);
  }
  return definition;
}

async function make(): Promise<boolean> {
  const definition = await loadDefinition();
  const storage = await openBuildToMake(task.path);
  try {
    const checkpoint = readCheckpoint(storage) ?? emptyCheckpoint(definition, task.begunAt);
    let isDamaged = false;
    const rows = new ProjectionRows(storage, definition, () => {
      isDamaged = true;
    });
    say({ type: "ready", position: checkpoint.position });
    const isWhole = await foldLog(
      {
        storage,
        definition,
        rows,
        checkpoint,
        onWritten: ({ position }) => say({ type: "written", position }),
        isOver: () => isDamaged,
      },
      decoded(task.source !== null),
    );
    return !isWhole || isDamaged;
  } finally {
    await storage.close();
  }
}

try {
  say({ type: "done", isVoid: await make() });
} catch (error) {
  say({ type: "failed", message: String(error) });
}
// Nothing is waited for any more, but a port with a listener keeps its thread alive.
parentPort?.close();
