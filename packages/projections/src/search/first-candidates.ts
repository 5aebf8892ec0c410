/** Keeps the candidates created first, of any number that come in any order, in memory for some of them. */
import type { Position } from "@sennit/core";

import { inOrder, type Candidate } from "../read-models/record-spans.ts";

export class FirstCandidates {
  readonly #most: number;
  #found: Candidate[] = [];
  #until: Position = Infinity;

  /** @param most that are kept; up to twice as many at times */
  constructor(most: number) {
    this.#most = most;
  }

  /** The position up to which none is missing; infinite while none at all is. */
  get until(): Position {
    return this.#until;
  }

  add(candidate: Candidate): void {
    if (candidate.created > this.#until) return;
    this.#found.push(candidate);
    if (this.#found.length < 2 * this.#most) return;
    this.#found = inOrder(this.#found).slice(0, this.#most);
    if (this.#found.length === this.#most) this.#until = this.#found.at(-1)?.created ?? 0;
  }

  /** Those up to `until`, in the order of creation, each once. */
  inOrder(): Candidate[] {
    return inOrder(this.#found);
  }
}
