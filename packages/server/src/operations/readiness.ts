/** Whether the server is ready for requests, and if not, why. */
import type { EmbeddedStore } from "@sennit/core";
import type { Views } from "@sennit/projections";

import type { Settings } from "../config/settings.ts";

/** What a projection fails with while the disk takes nothing: it goes on when somebody has it try again. */
const ofDisk: ReadonlySet<string> = new Set(["disk-full", "write-failed"]);

/**
 * Reasons beside the codes of errors that the store and the disk give (`disk-full`, `write-failed`, damage):
 * `shutting-down`; `views-catching-up` when one is further behind the log than `readyLagMax`; `projection-failed`.
 */
export interface ReadinessReport {
  readonly ready: boolean;
  /** Codes; none when it is ready. */
  readonly reasons: readonly string[];
}

interface Watched {
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly settings: Settings;
}

export class Readiness {
  readonly #watched: Watched;
  #isClosing = false;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** From now on it is not ready. */
  close(): void {
    this.#isClosing = true;
  }

  /**
   * How it is at this moment. A store that could not be written is tried again first, and so are projections, which are not
   * waited for: nothing else might do that, as nobody sends requests to who is not ready.
   */
  async report(): Promise<ReadinessReport> {
    const { store } = this.#watched;
    if (store.status.state === "not-writable" && !this.#isClosing) {
      await store.recover().catch(() => undefined);
    }
    const reasons = [...new Set(this.#reasons())];
    this.#retryProjections();
    return { ready: reasons.length === 0, reasons };
  }

  #retryProjections(): void {
    const { store, views } = this.#watched;
    if (store.status.state !== "ready" || this.#isClosing) return;
    for (const name of views.names) {
      const { failure, state } = views.progress(name);
      if (failure !== null && state !== "paused" && ofDisk.has(failure.code)) views.resume(name);
    }
  }

  *#reasons(): Generator<string> {
    const { store, views, settings } = this.#watched;
    if (this.#isClosing) yield "shutting-down";
    const { state, reason } = store.status;
    if (state !== "ready") yield reason?.code ?? state;
    const all = views.names.map((name) => views.progress(name));
    for (const { failure } of all) {
      if (failure !== null) yield ofDisk.has(failure.code) ? failure.code : "projection-failed";
    }
    const isBehind = all.some(
      ({ state: of, lag }) => of !== "paused" && lag > settings.readyLagMax,
    );
    if (isBehind) yield "views-catching-up";
  }
}
