/** Folds Bluesky documents into the steps of an import, and refuses what does not hang together. */
import { formatTimestamp, type RecordId } from "@sennit/core";

import { AssetCount } from "./assets.ts";
import type { BlueskyDocument } from "./documents.ts";
import { importInvalid } from "./import-invalid.ts";
import {
  arrayValue,
  checkStorable,
  textMember,
  textValue,
  timeMember,
  type JsonObject,
} from "./members.ts";
import { RowCount, rowsOf } from "./rows.ts";
import { descriptorStep, startStep, stopStep, streamStep, type Step } from "./steps.ts";
import { assetsStep, rowsStep } from "./tallies.ts";
import { UidRegister } from "./uids.ts";

/** What a file comes to: the steps in the order they are sent, and the counts of what it holds. */
export interface FoldedFile {
  readonly steps: readonly Step[];
  readonly runs: number;
  /** Runs without a stop document. */
  readonly open: number;
  /** Runs that stopped with an `exit_status` other than `success`. */
  readonly failed: number;
  readonly streams: number;
  readonly events: number;
}

interface Run {
  readonly id: RecordId;
  readonly streams: Map<string, Stream>;
  readonly assets: AssetCount;
  /** The run's last document so far. */
  last: BlueskyDocument;
  stop: Stop | undefined;
}

interface Stop {
  readonly uid: string;
  readonly exitStatus: string;
  readonly step: Step;
}

interface Stream {
  readonly recordId: RecordId;
  readonly run: Run;
  readonly rows: RowCount;
  descriptor: JsonObject;
}

/**
 * Checks a whole file and works out its steps, in the order of the documents. The counts of a run and its streams come
 * with its last document, so they are written once, and those of the streams after the run has stopped.
 *
 * @throws `import-invalid`
 */
export function foldDocuments(documents: readonly BlueskyDocument[]): FoldedFile {
  const folder = new DocumentFolder();
  for (const document of documents) folder.add(document);
  return folder.finish();
}

class DocumentFolder {
  readonly #runs = new Map<string, Run>();
  readonly #descriptors = new Map<string, Stream>();
  readonly #resources = new Map<string, Run>();
  readonly #uids = new UidRegister();
  readonly #steps: Step[] = [];
  readonly #openRuns = new Set<Run>();
  #events = 0;

  add(document: BlueskyDocument): void {
    checkStorable(document);
    switch (document.name) {
      case "start":
        return this.#start(document);
      case "descriptor":
        return this.#descriptor(document);
      case "event":
      case "event_page":
        return this.#rows(document);
      case "stop":
        return this.#stop(document);
      case "resource":
      case "stream_resource":
        return this.#resource(document);
      case "datum":
      case "datum_page":
      case "stream_datum":
        return this.#datum(document);
    }
  }

  finish(): FoldedFile {
    const runs = [...this.#runs.values()];
    for (const run of runs) this.#end(run);
    const stops = runs.flatMap(({ stop }) => stop ?? []);
    return {
      // The sort is stable, so steps of one document stay in the order they were made in.
      steps: this.#steps.toSorted((a, b) => a.index - b.index),
      runs: runs.length,
      open: runs.length - stops.length,
      failed: stops.filter(({ exitStatus }) => exitStatus !== "success").length,
      streams: runs.reduce((count, { streams }) => count + streams.size, 0),
      events: this.#events,
    };
  }

  #start(document: BlueskyDocument): void {
    const id = this.#uids.takeUid(document);
    this.#uids.takeRecordId(id, `${document.pointer}/uid`);
    const run: Run = {
      id,
      streams: new Map(),
      assets: new AssetCount(),
      last: document,
      stop: undefined,
    };
    this.#runs.set(id, run);
    this.#openRuns.add(run);
    const time = formatTimestamp(timeMember(document));
    this.#steps.push(startStep(document, id, time));
  }

  #descriptor(document: BlueskyDocument): void {
    const uid = this.#uids.takeUid(document);
    const run = this.#runOf(document);
    const { body, pointer } = document;
    // Descriptors of the first years have no name: there was one stream then, and it is called this today.
    const name = body["name"] === undefined ? "primary" : textMember(document, "name");
    const time = formatTimestamp(timeMember(document));
    const known = run.streams.get(name);
    if (known === undefined) {
      const recordId = `${run.id}/${name}`;
      this.#uids.takeRecordId(recordId, `${pointer}/name`);
      const stream: Stream = { recordId, run, rows: new RowCount(), descriptor: body };
      run.streams.set(name, stream);
      this.#descriptors.set(uid, stream);
      const step = streamStep(document, { runId: run.id, recordId, name }, time);
      this.#steps.push(step);
      return;
    }
    this.#descriptors.set(uid, known);
    const step = descriptorStep(document, known.recordId, known.descriptor, time);
    known.descriptor = body;
    this.#steps.push(step);
  }

  #rows(document: BlueskyDocument): void {
    const stream = this.#linked(document, "descriptor", this.#descriptors);
    stream.run.last = document;
    for (const row of rowsOf(document)) {
      this.#uids.take("event", row.uid, row.pointer);
      stream.rows.add(row);
      this.#events += 1;
    }
  }

  #stop(document: BlueskyDocument): void {
    const uid = this.#uids.takeUid(document);
    const run = this.#runOf(document);
    if (run.stop !== undefined) {
      const message = "names a run that has stopped before";
      throw importInvalid({ pointer: `${document.pointer}/run_start`, message });
    }
    const exitStatus = textMember(document, "exit_status");
    this.#openRuns.delete(run);
    const time = formatTimestamp(timeMember(document));
    run.stop = { uid, exitStatus, step: stopStep(document, run.id, time) };
  }

  #resource(document: BlueskyDocument): void {
    const uid = this.#uids.takeUid(document);
    const run =
      document.body["run_start"] === undefined
        ? this.#onlyOpenRun(document)
        : this.#runOf(document);
    this.#resources.set(uid, run);
    this.#countAsset(run, document, document.name, [uid]);
  }

  #datum(document: BlueskyDocument): void {
    const { name, body, pointer } = document;
    const isStream = name === "stream_datum";
    const run = this.#linked(document, isStream ? "stream_resource" : "resource", this.#resources);
    if (name !== "datum_page") {
      const uid = textMember(document, isStream ? "uid" : "datum_id");
      this.#uids.take(name, uid, `${pointer}/${isStream ? "uid" : "datum_id"}`);
      this.#countAsset(run, document, name, [uid]);
      return;
    }
    const ids = arrayValue(body["datum_id"], `${pointer}/datum_id`).map((value, index) => {
      const at = `${pointer}/datum_id/${index}`;
      const id = textValue(value, at);
      this.#uids.take("datum", id, at);
      return id;
    });
    this.#countAsset(run, document, "datum", ids);
  }

  #countAsset(run: Run, document: BlueskyDocument, kind: string, uids: readonly string[]): void {
    run.last = document;
    run.assets.add(kind, uids);
  }

  /** Resources of the first years name no run; that is clear as long as one run is open. */
  #onlyOpenRun({ pointer }: BlueskyDocument): Run {
    const [run, ...others] = this.#openRuns;
    if (run !== undefined && others.length === 0) return run;
    const message = `is missing, and ${run === undefined ? "no run is" : "several runs are"} open`;
    throw importInvalid({ pointer: `${pointer}/run_start`, message });
  }

  /** The steps that wait for the whole file: the streams come last, since they rest on what the run has become. */
  #end({ id, streams, assets, last, stop }: Run): void {
    const run = { id, assets, last, stopUid: stop?.uid };
    if (assets.count > 0) this.#steps.push(assetsStep(run));
    if (stop !== undefined) this.#steps.push(stop.step);
    const isAsStarted = assets.count === 0 && stop === undefined;
    for (const { recordId, rows } of streams.values()) {
      if (rows.count > 0 || !isAsStarted) this.#steps.push(rowsStep(run, recordId, rows));
    }
  }

  /** The run that `run_start` names, which this document now belongs to. */
  #runOf(document: BlueskyDocument): Run {
    const run = this.#linked(document, "run_start", this.#runs);
    run.last = document;
    return run;
  }

  #linked<T>(document: BlueskyDocument, member: string, known: ReadonlyMap<string, T>): T {
    const uid = textMember(document, member);
    const found = known.get(uid);
    if (found !== undefined) return found;
    const message = `names ${JSON.stringify(uid)}, which no earlier document has`;
    throw importInvalid({ pointer: `${document.pointer}/${member}`, message });
  }
}
