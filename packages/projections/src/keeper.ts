/** Keeps one projection readable: the build that answers, the one being made aside, and the way from one to the other. */
import { toStoreError, type Position, type StoreError } from "@sennit/core";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import type { Observable } from "rxjs/internal/Observable";

import type { BuildRef } from "./builds.ts";
import { describeProgress } from "./describe-progress.ts";
import { alwaysDamaged, projectionPaused, rowsBeingMade, viewsClosed } from "./keeper-errors.ts";
import { goesToWorker, type KeeperSettings } from "./keeper-settings.ts";
import { LeavingBuilds } from "./leaving-builds.ts";
import { closeBuild, openBuild, type OpenBuild } from "./open-build.ts";
import type { ProjectionProgress } from "./progress.ts";
import type { ProjectionRows } from "./projection-rows.ts";
import { WaitingList } from "./waiting-list.ts";
import { WorkQueue } from "./work-queue.ts";
import { WorkerBuild } from "./worker-build.ts";

/** Builds that may turn out to be damaged while they are made, one after another, before no more are begun. */
const damagedMax = 3;

/** One projection of the views. What changes its builds is done one after the other. */
export class ProjectionKeeper {
  readonly #settings: KeeperSettings;
  readonly #name: string;
  readonly #waiting = new WaitingList();
  readonly #progress: BehaviorSubject<ProjectionProgress>;
  #serving: OpenBuild | undefined;
  #next: OpenBuild | undefined;
  #worker: { readonly ref: BuildRef; readonly build: WorkerBuild } | undefined;
  readonly #leaving: LeavingBuilds;
  /** Those that have asked for a rebuild. */
  readonly #rebuilding = new WaitingList();
  /** Why no build could be begun. */
  #beginFailure: StoreError | undefined;
  #isBeginning = false;
  /** How many builds have been lost to damage since one was as it should be. */
  #damaged = 0;
  #isPaused = false;
  #isClosed = false;
  readonly #work = new WorkQueue();

  private constructor(settings: KeeperSettings) {
    this.#settings = settings;
    this.#name = settings.definition.name;
    this.#leaving = new LeavingBuilds(settings.onUnused);
    this.#progress = new BehaviorSubject(this.progress);
  }

  /** Opens the builds there are, and begins one where none can go on. */
  static async open(settings: KeeperSettings): Promise<ProjectionKeeper> {
    const keeper = new ProjectionKeeper(settings);
    try {
      await keeper.#work.add(() => keeper.#openBuilds());
    } catch (error) {
      await keeper.close();
      throw error;
    }
    return keeper;
  }

  /** How far it is: now, after every batch, and whenever something else changes. Completes when the views are closed. */
  get progress$(): Observable<ProjectionProgress> {
    return this.#progress.asObservable();
  }

  /** The directories of builds that are open. */
  get directories(): string[] {
    const builds = [this.#serving, this.#next, ...this.#leaving.all, this.#worker];
    return builds.flatMap((build) => (build === undefined ? [] : [build.ref.directory]));
  }

  /** The head at which the fold of the oldest rows that answer began. */
  get begunAt(): Position {
    return (this.#serving ?? this.#next ?? this.#worker)?.ref.begunAt ?? 0;
  }

  /** The rows as far as they are. @throws `view-rebuilt` while there are none */
  get rows(): ProjectionRows {
    const build = this.#serving ?? this.#next;
    if (build !== undefined) return build.runner.rows;
    throw rowsBeingMade(this.#name);
  }

  /**
   * The rows, once everything up to a position has been applied.
   *
   * @throws `projection-failed`, `projection-paused`, `disk-full`, `write-failed`, `store-closed`, `aborted`
   */
  async at(position: Position, signal?: AbortSignal): Promise<ProjectionRows> {
    while (true) {
      const build = this.#usable(position);
      if (build !== undefined) return build.runner.rows;
      if (this.#isClosed) throw viewsClosed();
      if (this.#isPaused) throw projectionPaused(this.#name);
      this.#follower()?.runner.want(position);
      if (this.#beginFailure !== undefined) await this.#work.add(() => this.#begin());
      if (this.#isClosed) throw viewsClosed();
      const failure = this.#failure();
      if (failure !== null) throw failure;
      if (this.#usable(position) === undefined) await this.#waiting.wait(position, signal);
    }
  }

  /** Applies nothing more after the batch at work, until it is resumed. */
  pause(): void {
    this.#isPaused = true;
    for (const build of [this.#serving, this.#next]) build?.runner.pause();
    this.#worker?.build.pause();
    this.#waiting.rejectAll(projectionPaused(this.#name));
    this.#tell();
  }

  /** Goes on, and tries again at once what has failed. */
  resume(): void {
    this.#isPaused = false;
    for (const build of [this.#serving, this.#next]) build?.runner.resume();
    this.#worker?.build.resume();
    if (this.#beginFailure !== undefined) void this.#work.add(() => this.#begin());
    this.#tell();
  }

  /** Makes the rows anew, aside, and resolves once the new ones answer. Another call joins the one at work. */
  async rebuild(): Promise<void> {
    if (this.#isClosed) throw viewsClosed();
    if (this.#isPaused) throw projectionPaused(this.#name);
    let done: Promise<void> = Promise.resolve();
    await this.#work.add(async () => {
      await this.#begin();
      if (this.#beginFailure !== undefined) throw this.#beginFailure;
      if (this.#isClosed) throw viewsClosed();
      done = this.#rebuilding.wait(0);
      this.#lookAtRebuilt();
    });
    await done;
  }

  /** Resolves when nothing is being folded and no build is being opened or left. */
  async idle(): Promise<void> {
    await this.#work.idle();
    await Promise.all([this.#serving?.runner.idle(), this.#next?.runner.idle()]);
    await this.#work.idle();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.rejectAll(viewsClosed());
    this.#worker?.build.stop();
    await this.#worker?.build.done.catch(() => undefined);
    await this.#work.idle();
    await this.#leaving.closeAll();
    for (const build of [this.#serving, this.#next])
      if (build !== undefined) await closeBuild(build);
    this.#rebuilding.rejectAll(viewsClosed());
    this.#progress.complete();
  }

  async #openBuilds(): Promise<void> {
    const { place, definition, store } = this.#settings;
    const { serving, next } = place.builds.get(definition.name) ?? {};
    const readable = [definition.version, ...(definition.readsVersions ?? [])];
    if (serving !== undefined && readable.includes(serving.version)) {
      this.#serving = await this.#open(serving, false);
    }
    const isLive = this.#serving?.runner.isFrozen === false;
    if (next?.version === definition.version) {
      const begun = await this.#open(next, false);
      if (
        begun !== undefined &&
        goesToWorker(this.#settings, store.head - begun.runner.checkpoint.position)
      ) {
        await closeBuild(begun);
        this.#handOver(next);
      } else this.#next = begun;
    }
    if (this.#next === undefined && this.#worker === undefined && !isLive) await this.#begin();
    this.#tell();
  }

  /** Begins a build, unless there is one: the one that answers where nothing else does, and otherwise one aside. */
  async #begin(): Promise<void> {
    const { place, definition, store, onUnused } = this.#settings;
    if (this.#isClosed || this.#next !== undefined || this.#worker !== undefined) return;
    await this.#attempt(async () => {
      const { name, version } = definition;
      const { head } = store;
      const ref = { directory: place.newDirectory(name, version), version, begunAt: head };
      const inWorker = goesToWorker(this.#settings, head);
      const isAside = inWorker || this.#serving !== undefined;
      await place.set(
        name,
        isAside ? { serving: this.#serving?.ref, next: ref } : { serving: ref },
      );
      // Nobody would stop what is begun from now on.
      if (this.#isClosed) return;
      if (inWorker) this.#handOver(ref);
      else if (isAside) await this.#takeNext(ref);
      else this.#serving = await this.#open(ref, true);
    });
    // The one before, which is not named any more, may hold what was erased.
    onUnused();
  }

  /** Begins a build, or goes on with one. Whoever waits for it is told when that fails. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    this.#beginFailure = undefined;
    this.#isBeginning = true;
    try {
      await work();
    } catch (error) {
      this.#beginFailure = toStoreError(error);
      this.#worker = undefined;
      this.#waiting.rejectAll(this.#beginFailure);
      this.#rebuilding.rejectAll(this.#beginFailure);
    } finally {
      this.#isBeginning = false;
    }
    this.#tell();
  }

  #handOver(ref: BuildRef): void {
    const { place, store, definition, isBuiltIn } = this.#settings;
    const path = place.path(ref.directory) ?? "";
    const onProgress = () => this.#tell();
    const build = new WorkerBuild({ store, definition, isBuiltIn, ref, path, onProgress });
    this.#worker = { ref, build };
    if (this.#isPaused) build.pause();
    const takeBack = (isVoid: boolean): Promise<void> =>
      this.#work.add(async () => {
        if (this.#worker?.build !== build) return;
        if (this.#isClosed || isVoid) this.#worker = undefined;
        if (isVoid) await this.#begin();
        else if (!this.#isClosed) await this.#attempt(() => this.#takeNext(ref));
      });
    // What it could not do is tried here, where it says why.
    build.done.then(takeBack, () => takeBack(false)).catch(() => undefined);
  }

  async #takeNext(ref: BuildRef): Promise<void> {
    this.#next = await this.#open(ref, true);
    // Not before: without either, a rebuild would count as done.
    this.#worker = undefined;
    if (this.#next === undefined) return this.#beginAgain();
    this.#changed(this.#next);
  }

  /** Begins another build in the place of one that was damaged, unless that has been of no use several times. */
  async #beginAgain(): Promise<void> {
    this.#damaged += 1;
    if (this.#damaged < damagedMax) return this.#begin();
    this.#damaged = 0;
    this.#isBeginning = false;
    const failure = alwaysDamaged(this.#name, damagedMax);
    this.#rebuilding.rejectAll(failure);
    // Rows that go on answer whoever waits; without them, whoever asks has it tried again.
    if (this.#serving?.runner.isFrozen === false) return;
    this.#beginFailure = failure;
    this.#waiting.rejectAll(failure);
  }

  async #open(ref: BuildRef, create: boolean): Promise<OpenBuild | undefined> {
    const build: OpenBuild | undefined = await openBuild(this.#settings, ref, create, () => {
      if (build !== undefined) this.#changed(build);
    });
    if (this.#isPaused) build?.runner.pause();
    void this.#settings.opened.then(() => build?.runner.start());
    return build;
  }

  /** A build has got further, has failed or is void. */
  #changed(build: OpenBuild): void {
    if (build.runner.voidBy !== undefined) void this.#work.add(() => this.#discard(build));
    else if (build === this.#next || this.#next === undefined) this.#lookAtRebuilt();
    const failure = this.#failure();
    if (failure !== null) this.#waiting.rejectAll(failure);
    this.#tell();
  }

  /** Tells those who wait for rows made anew, in the place of void ones or aside, or sees to it that these are taken. */
  #lookAtRebuilt(): void {
    if (this.#next !== undefined) return this.#lookAtNext(this.#next);
    if (this.#worker !== undefined || this.#isBeginning || this.#serving === undefined) return;
    const { ref, runner } = this.#serving;
    if (runner.checkpoint.position < ref.begunAt) return;
    this.#damaged = 0;
    this.#rebuilding.resolveUpTo(0);
  }

  #lookAtNext(next: OpenBuild): void {
    if (this.#isClosed) return;
    const { failure, checkpoint } = next.runner;
    const served = this.#serving?.runner.checkpoint.position ?? 0;
    const isLive = this.#serving?.runner.isFrozen === false;
    // The head of now may always be ahead of it.
    const least = isLive ? served : Math.max(served, next.ref.begunAt);
    if (failure !== null) {
      this.#rebuilding.rejectAll(failure);
      // One that was asked for, while the old rows go on, is given up.
      if (isLive) void this.#work.add(() => this.#discard(next));
    } else if (checkpoint.position >= least) void this.#work.add(() => this.#swap(next));
  }

  async #swap(next: OpenBuild): Promise<void> {
    const old = this.#serving;
    if (next !== this.#next || this.#isClosed) return;
    // Neither may the position go back, nor be passed meanwhile.
    old?.runner.pause();
    await old?.runner.idle();
    const { voidBy, checkpoint } = next.runner;
    let isReady =
      voidBy === undefined && checkpoint.position >= (old?.runner.checkpoint.position ?? 0);
    try {
      if (isReady) await this.#settings.place.set(this.#name, { serving: next.ref });
    } catch (error) {
      // The next batch tries again.
      this.#rebuilding.rejectAll(toStoreError(error));
      isReady = false;
    }
    if (!isReady) {
      if (!this.#isPaused) old?.runner.resume();
      return;
    }
    this.#serving = next;
    this.#next = undefined;
    this.#damaged = 0;
    if (old !== undefined) await this.#leaving.add(old);
    this.#rebuilding.resolveUpTo(0);
    this.#tell();
  }

  /** Rows that must not be read any more: they go at once, and others are made. */
  async #discard(build: OpenBuild): Promise<void> {
    // Whatever was made of the log before an erasure may hold what it erased.
    const isErased = build.runner.voidBy === "erasure";
    const isNewest = build === (this.#next ?? this.#worker ?? build);
    const isLost = build.runner.voidBy === "damage" && isNewest;
    const all = [this.#serving, this.#next].filter((one) => one !== undefined);
    const going = all.filter((one) => isErased || one === build);
    if (going.length === 0) return;
    for (const { runner } of going) runner.rows.retire();
    if (this.#serving !== undefined && going.includes(this.#serving)) this.#serving = undefined;
    if (this.#next !== undefined && going.includes(this.#next)) this.#next = undefined;
    // Until there is another one: without any, a rebuild would count as done.
    if (isLost) this.#isBeginning = true;
    if (isErased) await Promise.all([this.#leaving.closeAll(), this.#stopWorker()]);
    const kept = { serving: this.#serving?.ref, next: (this.#next ?? this.#worker)?.ref };
    await this.#settings.place.set(this.#name, kept).catch(() => undefined);
    await Promise.all(going.map((gone) => closeBuild(gone)));
    if (isLost) await this.#beginAgain();
    else if (this.#serving?.runner.isFrozen !== false) await this.#begin();
    this.#settings.onUnused();
    this.#tell();
  }

  async #stopWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.build.stop();
    await worker?.build.done.catch(() => undefined);
  }

  #usableBuilds(): OpenBuild[] {
    const builds = [this.#serving, this.#follower()].filter((build) => build !== undefined);
    return builds.filter(({ runner }) => runner.voidBy === undefined);
  }

  #usable(position: Position): OpenBuild | undefined {
    return this.#usableBuilds().find(({ runner }) => runner.checkpoint.position >= position);
  }

  /** The build that will get to the head. */
  #follower(): OpenBuild | undefined {
    return this.#serving?.runner.isFrozen === false ? this.#serving : this.#next;
  }

  #failure(): StoreError | null {
    const follower = this.#follower();
    if (follower !== undefined) return follower.runner.failure;
    return this.#worker === undefined ? (this.#beginFailure ?? null) : null;
  }

  #tell(): void {
    const reached = this.#usableBuilds().map(({ runner }) => runner.checkpoint.position);
    this.#waiting.resolveUpTo(Math.max(-1, ...reached));
    this.#progress.next(this.progress);
  }

  get progress(): ProjectionProgress {
    const { store, definition } = this.#settings;
    return describeProgress({
      definition,
      head: store.head,
      serving: this.#serving?.runner,
      next: this.#next?.runner,
      worker: this.#worker?.build,
      failure: this.#failure(),
      isPaused: this.#isPaused,
    });
  }
}
