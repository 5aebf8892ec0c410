/** Builds that others have taken the place of, for as long as somebody may still be reading them. */
import { closeBuild, type OpenBuild } from "./open-build.ts";

/** Milliseconds for which rows that others have taken the place of still answer who holds them. */
const graceMs = 5000;

export class LeavingBuilds {
  readonly #builds = new Set<OpenBuild>();
  readonly #onGone: () => void;

  /** @param onGone called when a build has been closed */
  constructor(onGone: () => void) {
    this.#onGone = onGone;
  }

  /** Those that are still open. */
  get all(): OpenBuild[] {
    return [...this.#builds];
  }

  /** Closes a build after some seconds, once no scan of it is at work. It follows the log no more. */
  async add(build: OpenBuild): Promise<void> {
    this.#builds.add(build);
    await build.runner.stop();
    const leave = async (): Promise<void> => {
      await build.runner.rows.unused();
      if (!this.#builds.delete(build)) return;
      build.runner.rows.retire();
      await closeBuild(build).then(this.#onGone, this.#onGone);
    };
    setTimeout(() => void leave(), graceMs).unref();
  }

  /** Closes all of them now. Whoever reads is refused. */
  async closeAll(): Promise<void> {
    const builds = this.all;
    this.#builds.clear();
    for (const { runner } of builds) runner.rows.retire();
    await Promise.all(builds.map((build) => closeBuild(build)));
  }
}
