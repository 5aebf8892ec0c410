/** Answers every question as of the moment in which it is asked. */
import type { RecordedEvent } from "../event/event.ts";
import type { Position, RecordId } from "../ids.ts";
import type { ReadOptions } from "../log/event-log.ts";
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

/** A reader that moves with the log: each question goes to a reader of the present. */
export abstract class PresentReader implements Reader {
  abstract get asOf(): Position;

  protected abstract now(): Reader;

  record(ref: string): Promise<RecordView> {
    return this.now().record(ref);
  }

  findRecord(ref: string): Promise<RecordView | undefined> {
    return this.now().findRecord(ref);
  }

  history(recordId: RecordId, options?: HistoryOptions): Promise<History> {
    return this.now().history(recordId, options);
  }

  diff(from: string, to: string): Promise<RecordDiff> {
    return this.now().diff(from, to);
  }

  blame(ref: string, options?: BlameOptions): Promise<Blame> {
    return this.now().blame(ref, options);
  }

  lineage(ref: string, options?: LineageOptions): Promise<Lineage> {
    return this.now().lineage(ref, options);
  }

  lineageRefs(ref: string, options?: LineageOptions): Promise<LineageRefs> {
    return this.now().lineageRefs(ref, options);
  }

  paths(one: string, other: string, options?: PathsOptions): Promise<LineagePaths> {
    return this.now().paths(one, other, options);
  }

  commonAncestors(
    first: string,
    second: string,
    options?: CommonAncestorsOptions,
  ): Promise<CommonAncestors> {
    return this.now().commonAncestors(first, second, options);
  }

  lineageDiff(ref: string, from: Position, options?: LineageOptions): Promise<LineageDiff> {
    return this.now().lineageDiff(ref, from, options);
  }

  impact(ref: string, options?: ImpactOptions): Promise<Impact> {
    return this.now().impact(ref, options);
  }

  replay(ref: string, options?: ReplayOptions): Promise<Replay> {
    return this.now().replay(ref, options);
  }

  outdatedSources(ref: string): Promise<readonly OutdatedSource[]> {
    return this.now().outdatedSources(ref);
  }

  allRecords(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<RecordView> {
    return this.now().allRecords(options);
  }

  summary(options?: SummaryOptions): Promise<StoreSummary> {
    return this.now().summary(options);
  }

  changes(from: Position, options?: ChangesOptions): AsyncIterable<StoreChange> {
    return this.now().changes(from, options);
  }

  changesSince(
    from: Position,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<StoreDiff> {
    return this.now().changesSince(from, options);
  }

  events(
    options?: ReadOptions & { readonly recordId?: RecordId | undefined },
  ): AsyncIterable<RecordedEvent> {
    return this.now().events(options);
  }
}
