/** Keeps the lineage graph of a log: loads it when it is first asked for, and writes it down for the next opening. */
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import type { Position } from "../ids.ts";
import { LineageGraph } from "../lineage/graph.ts";
import { Pacer } from "../lineage/pacer.ts";
import type { SnapshotHeader } from "../lineage/snapshot-codec.ts";
import type { SnapshotFile } from "../lineage/snapshot-file.ts";
import type { ReadOptions } from "./event-log.ts";
import type { LogTreeHead } from "./log-proofs.ts";

/** What a graph is built from: a log that goes on growing meanwhile. */
export interface GraphSource {
  /** Size and root of the log up to a position; default: of all that is durable. */
  readonly treeHead: (size?: Position) => LogTreeHead;
  readonly readEntries: (options: ReadOptions) => AsyncIterable<readonly Entry[]>;
  /** The last position decided, and an entry up to it, durable or not. */
  readonly decidedHead: () => Position;
  readonly decided: (position: Position) => Entry | undefined;
}

/** A snapshot is written once it spares the next opening so many events: reading them takes a tenth of a second. */
const eventsSparedMin = 10_000;

export class GraphKeeper {
  readonly #source: GraphSource;
  readonly #snapshot: SnapshotFile | undefined;
  #graph: LineageGraph | undefined;
  #loading: Promise<LineageGraph> | undefined;
  /** The position of the snapshot that is there. */
  #written: Position = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(source: GraphSource, snapshot: SnapshotFile | undefined) {
    this.#source = source;
    this.#snapshot = snapshot;
  }

  /** The graph up to the last event decided; undefined until `load` has been waited for. */
  get loaded(): LineageGraph | undefined {
    return this.#graph;
  }

  /** The graph, loaded the first time: what a snapshot of this log holds, and then what the log holds beyond it. */
  load(): Promise<LineageGraph> {
    if (this.#graph !== undefined) return Promise.resolve(this.#graph);
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Folds in what is stored after all, up to a position. */
  catchUp(head: Position, entryAt: (position: Position) => Entry): void {
    const graph = this.#graph;
    if (graph === undefined) return;
    while (graph.head < head) graph.apply(entryAt(graph.head + 1).header);
  }

  /**
   * Ends what is being written, and writes what the next opening would have to read.
   *
   * @param isSound whether the log is as it should be
   */
  async close(isSound: boolean): Promise<void> {
    await this.#writing;
    if (!isSound) return;
    this.#write();
    await this.#writing;
  }

  async #load(): Promise<LineageGraph> {
    const graph =
      (await this.#snapshot?.read((header) => this.#fits(header))) ?? new LineageGraph();
    this.#written = graph.head;
    const pacer = new Pacer(undefined);
    while (graph.head < this.#source.treeHead().size) {
      for await (const entries of this.#source.readEntries({ from: graph.head + 1 })) {
        for (const { header } of entries) graph.apply(header);
        if (pacer.isDue) await pacer.turn();
      }
    }
    // From here on nothing else runs until the graph is set, so no event can slip in between.
    while (graph.head < this.#source.decidedHead()) {
      const entry = this.#source.decided(graph.head + 1);
      graph.apply(must(entry, "a decided event is pending or stored").header);
    }
    this.#graph = graph;
    this.#write();
    return graph;
  }

  /** A snapshot is one of this log when the log had its root where it says. */
  #fits({ position, root }: SnapshotHeader): boolean {
    if (!Number.isInteger(position) || position < 0) return false;
    if (position > this.#source.treeHead().size) return false;
    return this.#source.treeHead(position).root.equals(root);
  }

  /** Begins to write the graph as far as it is durable, if that is worth while. */
  #write(): void {
    const [graph, snapshot] = [this.#graph, this.#snapshot];
    if (graph === undefined || snapshot === undefined) return;
    const { size, root } = this.#source.treeHead();
    if (size - this.#written < eventsSparedMin || graph.head < size) return;
    this.#writing = this.#writing.then(async () => {
      if (await snapshot.write(graph, size, root)) this.#written = size;
    });
  }
}
