/** The other peer: SQLite doing the same work, in a process of its own whose Node has `node:sqlite`. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { NewEvent, Position, RecordId } from "@sennit/core";

import type { Scratch } from "./scratch.ts";
import { median } from "./timing.ts";

const peerDirectory = fileURLToPath(new URL("../sqlite-peer", import.meta.url));

/** Records with a tag from one value to another, as of a position. */
export interface TagSearch {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly position: Position;
  readonly limit: number;
}

/** Answers NaN to every question when SQLite is not there, so that the other rows can be measured. */
export class SqlitePeer {
  /** Its versions, or why it is not there. */
  readonly about: string;
  readonly #scratch: Scratch;
  readonly #process: PeerProcess | undefined;

  private constructor(scratch: Scratch, about: string, process?: PeerProcess) {
    this.#scratch = scratch;
    this.about = about;
    this.#process = process;
  }

  /** @param isWanted whether it is used at all */
  static async start(scratch: Scratch, isWanted: boolean): Promise<SqlitePeer> {
    if (!isWanted) return new SqlitePeer(scratch, "not asked for");
    const program = await findNode();
    if (program === undefined) return new SqlitePeer(scratch, "not installed; its rows are empty");
    try {
      const process = new PeerProcess(program);
      const { sqlite, node } = await process.ask({ task: "about" });
      return new SqlitePeer(scratch, `${String(sqlite)} in Node ${String(node)}`, process);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new SqlitePeer(scratch, `does not run here, its rows are empty: ${reason}`);
    }
  }

  /** Puts events where the peer finds them. @returns what the other methods take as `workload` */
  async prepare(batches: Iterable<readonly NewEvent[]>): Promise<string> {
    const path = this.#scratch.directory();
    if (this.#process === undefined) return path;
    const file = createWriteStream(path);
    for (const batch of batches) {
      const lines = batch.map((event) => `${JSON.stringify(event)}\n`).join("");
      if (!file.write(lines)) await once(file, "drain");
    }
    file.end();
    await once(file, "finish");
    return path;
  }

  /** Events appended per second, `perTransaction` in each synced transaction. */
  async appendRate(workload: string, perTransaction: number): Promise<number> {
    const { eventsPerSecond } = await this.#scratch.within(async (path) =>
      this.#ask({ task: "append", file: workload, perTransaction, path: `${path}.db` }),
    );
    return Number(eventsPerSecond);
  }

  /** Makes a database of the workload. @returns what `readUs` takes as `database` */
  async fill(workload: string): Promise<string> {
    const path = `${this.#scratch.directory()}.db`;
    await this.#ask({ task: "fill", file: workload, path });
    return path;
  }

  /** Microseconds that half of the reads of a record as of a position stay under. */
  async readUs(
    database: string,
    recordIds: readonly RecordId[],
    position: Position,
  ): Promise<number> {
    const { microseconds } = await this.#ask({ task: "read", path: database, recordIds, position });
    return median((microseconds ?? []) as number[]);
  }

  /** Like `fill`, with the tags of records that are created once in a table with an index. */
  async fillWithTags(workload: string): Promise<string> {
    const path = await this.fill(workload);
    await this.#ask({ task: "indexTags", path });
    return path;
  }

  /** Microseconds that half of the searches stay under, the records found read whole. */
  async searchUs(
    database: string,
    searches: readonly TagSearch[],
    expected: number,
  ): Promise<number> {
    const answer = await this.#ask({ task: "searchTags", path: database, searches });
    const { microseconds = [], count = expected } = answer;
    if (count !== expected) throw new Error(`SQLite found ${String(count)} of ${expected}.`);
    return median(microseconds as number[]);
  }

  /** Like `fill`, with the indexes that lineage needs. */
  async fillWithLineage(workload: string): Promise<string> {
    const path = await this.fill(workload);
    await this.#ask({ task: "indexLineage", path });
    return path;
  }

  /** Milliseconds that a recursive query for all ancestors of a record as of a position takes. */
  async ancestorsMs(
    database: string,
    id: RecordId,
    position: Position,
    expected: number,
  ): Promise<number> {
    const request = { task: "ancestors", path: database, recordId: id, position };
    const { milliseconds = Number.NaN, count = expected } = await this.#ask(request);
    if (count !== expected) throw new Error(`SQLite found ${String(count)} of ${expected}.`);
    return Number(milliseconds);
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    return this.#process?.ask(request) ?? {};
  }
}

/** The Node that the peer's package brings for this platform. */
async function findNode(): Promise<string | undefined> {
  const modules = join(peerDirectory, "node_modules");
  const names = await readdir(modules).catch(() => []);
  const name = names.find((candidate) => candidate.startsWith("node-"));
  const program = process.platform === "win32" ? "node.exe" : "node";
  return name === undefined ? undefined : join(modules, name, "bin", program);
}

/** One question after the other to the program that has SQLite. */
class PeerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(program: string) {
    this.#child = spawn(program, ["--disable-warning=ExperimentalWarning", "peer.mjs"], {
      cwd: peerDirectory,
    });
    this.#child.stderr.pipe(process.stderr);
    // A program that cannot be started ends without an answer, and that is reported.
    this.#child.on("error", () => undefined);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error("the SQLite peer ended without an answer");
    return JSON.parse(answer.value) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await once(this.#child, "exit");
  }
}
