/** Callers that wait for a projection to reach a position. */
import { StoreError, type Position } from "@sennit/core";

interface Waiting {
  readonly position: Position;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class WaitingList {
  readonly #waiting = new Set<Waiting>();

  /** Resolves with `resolveUpTo` of the position or more. @throws `aborted`, and what `rejectAll` is given */
  async wait(position: Position, signal?: AbortSignal): Promise<void> {
    let onAbort: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const waiting = { position, resolve, reject };
        this.#waiting.add(waiting);
        onAbort = () => {
          this.#waiting.delete(waiting);
          reject(
            new StoreError("aborted", "The operation was aborted.", { cause: signal?.reason }),
          );
        };
        if (signal?.aborted === true) onAbort();
        else signal?.addEventListener("abort", onAbort);
      });
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
    }
  }

  resolveUpTo(position: Position): void {
    for (const waiting of this.#waiting) {
      if (waiting.position > position) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  rejectAll(error: unknown): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
