/** The streams that are open: how many there may be, and how all of them end. */
import { StoreError } from "@sennit/core";

/** One that is open. */
interface OpenStream {
  /** Fires when the server shuts down. */
  readonly closing: AbortSignal;
  /** Gives its place to another. */
  readonly release: () => void;
}

export class Streams {
  readonly #max: number;
  readonly #closing = new AbortController();
  readonly #open = new Set<() => void>();
  #whenNone: (() => void) | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#open.size;
  }

  /** @throws `too-many-streams`; `store-closed` while the server shuts down */
  take(): OpenStream {
    if (this.#closing.signal.aborted) {
      throw new StoreError("store-closed", "The server is shutting down.");
    }
    if (this.#open.size >= this.#max) {
      throw new StoreError(
        "too-many-streams",
        `${this.#max} streams are open, and that is as many as there may be.`,
        { details: { max: this.#max } },
      );
    }
    const release = (): void => {
      this.#open.delete(release);
      if (this.#open.size === 0) this.#whenNone?.();
    };
    this.#open.add(release);
    return { closing: this.#closing.signal, release };
  }

  /** Ends every stream, and takes no others. Resolves when all have ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenNone = resolve;
    });
  }
}
