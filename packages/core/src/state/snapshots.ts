/** The folder of a store's state snapshots: made by reads, disposable, and believed only where they fit the log. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Position } from "../ids.ts";
import { listDirectory, writeWhole } from "../store-directory.ts";
import { keepsSnapshot, snapshotInterval } from "./kept-positions.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-codec.ts";
import type { StoreState } from "./store-state.ts";

const namePattern = /^state-(\d{1,15})$/;

export class StateSnapshots {
  readonly #directory: string;
  readonly #interval: number;
  #writing: Promise<void> = Promise.resolve();

  /** @param interval events between two snapshots near the head */
  constructor(directory: string, interval: number = snapshotInterval) {
    this.#directory = directory;
    this.#interval = interval;
  }

  /**
   * The newest state at or before a position, of the log whose roots are given. What is damaged or was taken of another
   * log is passed over.
   */
  async nearest(
    asOf: Position,
    rootAt: (position: Position) => Uint8Array,
  ): Promise<StoreState | undefined> {
    const positions = (await this.#positions()).filter((position) => position <= asOf);
    for (const position of positions.toSorted((a, b) => b - a)) {
      const bytes = await readFile(this.#path(position)).catch(() => undefined);
      const snapshot = bytes === undefined ? undefined : decodeSnapshot(bytes);
      if (snapshot?.state.position !== position) continue;
      if (Buffer.compare(rootAt(position), snapshot.root) === 0) return snapshot.state;
    }
    return undefined;
  }

  /** Whether a state as of a position is to be offered while the head is there. */
  keeps(position: Position, head: Position): boolean {
    return keepsSnapshot(position, head, this.#interval);
  }

  /**
   * Begins to write a state as it is now, and to remove what is not kept any more. What cannot be written is left out: it
   * costs the next read time and nothing else.
   */
  offer(state: StoreState, root: Uint8Array, head: Position): void {
    const { position } = state;
    const bytes = encodeSnapshot(state, root);
    this.#writing = this.#writing
      .then(async () => {
        await mkdir(this.#directory, { recursive: true });
        await writeWhole(this.#path(position), bytes);
        await this.#thin(head);
      })
      .catch(() => undefined);
  }

  /** Resolves once nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #thin(head: Position): Promise<void> {
    for (const name of (await listDirectory(this.#directory)) ?? []) {
      const position = positionIn(name.replace(/\.new$/, ""));
      // What somebody else has put there is not ours to remove.
      if (position === undefined) continue;
      if (this.keeps(position, head) && !name.endsWith(".new")) continue;
      await rm(join(this.#directory, name), { recursive: true, force: true });
    }
  }

  async #positions(): Promise<Position[]> {
    const names = await listDirectory(this.#directory).catch(() => undefined);
    return (names ?? []).map(positionIn).filter((position) => position !== undefined);
  }

  #path(position: Position): string {
    return join(this.#directory, `state-${position}`);
  }
}

function positionIn(name: string): Position | undefined {
  const digits = namePattern.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
