/** What the server takes in at a time: bytes of bodies in memory, and streams of lines. */
import { StoreError } from "@sennit/core";

/** Bytes of a body that nobody counts: as many of them as there may be connections are no danger. */
export const uncountedBytes = 64 * 1024;

/** Bounds on what is being received. What is above them is refused and not kept waiting. */
export class Intake {
  readonly #bytesMax: number;
  readonly #streamsMax: number;
  #bytes = 0;
  #streams = 0;

  constructor(bounds: { readonly bytesMax: number; readonly streamsMax: number }) {
    this.#bytesMax = bounds.bytesMax;
    this.#streamsMax = bounds.streamsMax;
  }

  /** What the body of one request takes of it. */
  hold(): Hold {
    return new Hold(this);
  }

  /** @throws `too-many-pending-appends` when there is no room for so many bytes more */
  takeBytes(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw new StoreError(
        "too-many-pending-appends",
        "Other bodies fill the memory there is for them.",
      );
    }
    this.#bytes += bytes;
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes;
  }

  /**
   * @returns to be called when the stream has ended
   * @throws `too-many-pending-appends`
   */
  takeStream(): () => void {
    if (this.#streams >= this.#streamsMax) {
      throw new StoreError(
        "too-many-pending-appends",
        `${this.#streams} streams of lines are being stored.`,
        { details: { streamsMax: this.#streamsMax } },
      );
    }
    this.#streams += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.#streams -= 1;
      isOpen = false;
    };
  }
}

/** Bytes that one request keeps in memory. */
class Hold {
  readonly #intake: Intake;
  #bytes = 0;

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  /** @throws `too-many-pending-appends` */
  raiseTo(bytes: number): void {
    if (bytes <= uncountedBytes) return;
    this.#intake.takeBytes(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  release(): void {
    this.#intake.giveBytes(this.#bytes);
    this.#bytes = 0;
  }
}

export type { Hold };
