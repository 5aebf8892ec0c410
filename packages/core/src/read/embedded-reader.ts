/** The reader of an embedded store: each question goes to the file that answers it. */
import { must } from "../assert.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import type { RecordedEvent } from "../event/event.ts";
import type { Position, RecordId } from "../ids.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import type { ReadOptions } from "../log/event-log.ts";
import { mustHaveVersions } from "../records/versions.ts";
import type { StateSnapshots } from "../state/snapshots.ts";
import { readAllRecords } from "./all-records.ts";
import { answerBlame } from "./blame-answer.ts";
import { readChanges } from "./changes-answer.ts";
import { fieldChanges } from "./field-changes.ts";
import { answerHistory } from "./history-answer.ts";
import { answerImpact } from "./impact-answer.ts";
import { answerCommonAncestors } from "./common-ancestors-answer.ts";
import { answerLineage, answerLineageParts, answerLineageRefs } from "./lineage-answer.ts";
import { answerLineageDiff } from "./lineage-diff-answer.ts";
import { answerPaths } from "./paths-answer.ts";
import type {
  Blame,
  BlameOptions,
  ChangesOptions,
  CommonAncestors,
  CommonAncestorsOptions,
  History,
  HistoryOptions,
  Impact,
  ImpactOptions,
  Lineage,
  LineageDiff,
  LineageOptions,
  LineageParts,
  LineagePaths,
  LineageRefs,
  OutdatedSource,
  PathsOptions,
  Reader,
  RecordDiff,
  RecordView,
  Replay,
  ReplayOptions,
  StoreChange,
  StoreDiff,
  StoreSummary,
  SummaryOptions,
} from "./reader.ts";
import { readRecordEvents } from "./record-events.ts";
import { recordView } from "./record-view.ts";
import { answerReplay } from "./replay-answer.ts";
import { findRef, mustFindRef, type Found, type ReadScope } from "./scope.ts";
import { answerSummary } from "./summary-answer.ts";
import { whenReadable } from "./when-readable.ts";

/** An immutable reader of one position. */
export class EmbeddedReader implements Reader {
  readonly asOf: Position;
  readonly #scope: ReadScope;

  /** @param snapshots of the store's state, where it has a directory to keep them in */
  constructor(log: EmbeddedLog, asOf: Position, snapshots?: StateSnapshots) {
    this.asOf = asOf;
    this.#scope = { log, state: log.state, asOf, snapshots };
  }

  record(ref: string): Promise<RecordView> {
    return this.#ask(() => this.#view(mustFindRef(this.#scope, ref)));
  }

  findRecord(ref: string): Promise<RecordView | undefined> {
    return this.#ask(() => {
      const found = findRef(this.#scope, ref);
      return found === undefined ? undefined : this.#view(found);
    });
  }

  history(recordId: RecordId, options: HistoryOptions = {}): Promise<History> {
    return this.#ask(() => answerHistory(this.#scope, recordId, options));
  }

  diff(from: string, to: string): Promise<RecordDiff> {
    return this.#ask(() => this.#diff(from, to));
  }

  #diff(from: string, to: string): RecordDiff {
    const before = mustFindRef(this.#scope, from);
    const after = mustFindRef(this.#scope, to);
    for (const { versions, entry } of [before, after]) assertNotErased(versions.recordId, entry);
    return {
      from: { recordId: before.versions.recordId, version: before.entry.version },
      to: { recordId: after.versions.recordId, version: after.entry.version },
      changes: fieldChanges(
        before.versions.document(before.entry),
        after.versions.document(after.entry),
      ),
    };
  }

  blame(ref: string, options: BlameOptions = {}): Promise<Blame> {
    return this.#ask(() => answerBlame(this.#scope, ref, options));
  }

  lineage(ref: string, options: LineageOptions = {}): Promise<Lineage> {
    return this.#ask(() => answerLineage(this.#scope, ref, options));
  }

  /**
   * `lineage`, whose lists need not stand in memory as a whole.
   *
   * @throws the codes of `lineage`, `log-gap` and `checksum-mismatch` while the lists are taken
   */
  lineageParts(ref: string, options: LineageOptions = {}): Promise<LineageParts> {
    return this.#ask(() => answerLineageParts(this.#scope, ref, options));
  }

  lineageRefs(ref: string, options: LineageOptions = {}): Promise<LineageRefs> {
    return this.#ask(() => answerLineageRefs(this.#scope, ref, options));
  }

  paths(one: string, other: string, options: PathsOptions = {}): Promise<LineagePaths> {
    return this.#ask(() => answerPaths(this.#scope, one, other, options));
  }

  commonAncestors(
    first: string,
    second: string,
    options: CommonAncestorsOptions = {},
  ): Promise<CommonAncestors> {
    return this.#ask(() => answerCommonAncestors(this.#scope, first, second, options));
  }

  lineageDiff(ref: string, from: Position, options: LineageOptions = {}): Promise<LineageDiff> {
    return this.#ask(() => answerLineageDiff(this.#scope, ref, from, options));
  }

  impact(ref: string, options: ImpactOptions = {}): Promise<Impact> {
    return this.#ask(() => answerImpact(this.#scope, ref, options));
  }

  replay(ref: string, options: ReplayOptions = {}): Promise<Replay> {
    return this.#ask(() => answerReplay(this.#scope, ref, options));
  }

  outdatedSources(ref: string): Promise<readonly OutdatedSource[]> {
    return this.#ask(() => this.#outdatedSources(ref));
  }

  #outdatedSources(ref: string): readonly OutdatedSource[] {
    const { stale, derivedFrom } = this.#view(mustFindRef(this.#scope, ref));
    if (!stale) return [];
    return derivedFrom.flatMap(({ recordId, version }) => {
      const versions = mustHaveVersions(this.#scope.state, recordId);
      if (versions.isCurrentContent(version, this.asOf)) return [];
      const now = must(versions.asOf(this.asOf), "a source exists").version;
      return [{ source: { recordId, version }, now }];
    });
  }

  allRecords(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<RecordView> {
    return readAllRecords(this.#scope, options.signal);
  }

  summary(options: SummaryOptions = {}): Promise<StoreSummary> {
    return this.#ask(() => answerSummary(this.#scope, options));
  }

  changes(from: Position, options: ChangesOptions = {}): AsyncGenerator<StoreChange> {
    return readChanges(this.#scope, from, options);
  }

  async changesSince(
    from: Position,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<StoreDiff> {
    const records: StoreChange[] = [];
    for await (const change of this.changes(from, { signal })) records.push(change);
    return { from, to: this.asOf, records };
  }

  async *events(
    options: ReadOptions & { readonly recordId?: RecordId | undefined } = {},
  ): AsyncGenerator<RecordedEvent> {
    const until = Math.min(this.asOf, options.until ?? this.asOf);
    if (options.recordId === undefined) yield* this.#scope.log.read({ ...options, until });
    else yield* readRecordEvents(this.#scope, options.recordId, { ...options, until });
  }

  #ask<Answer>(ask: () => Answer | Promise<Answer>): Promise<Answer> {
    return whenReadable(this.#scope.log, ask);
  }

  #view({ versions, entry }: Found): RecordView {
    return recordView(this.#scope.state, versions, entry, this.asOf);
  }
}

/** An empty document in the place of erased content would look like a change. @throws `content-erased` */
function assertNotErased(recordId: RecordId, { version, erased }: VersionEntry): void {
  if (!erased) return;
  throw new StoreError("content-erased", `The content of ${recordId}@${version} has been erased.`, {
    hint: `See who erased it and why with: sennit show ${recordId}@${version}`,
    details: { recordId, version },
  });
}
