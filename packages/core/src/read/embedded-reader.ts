/** The reader of an embedded store: every answer comes from version blocks, log entries and the lineage graph. */
import { createHash } from "node:crypto";

import { must } from "../assert.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { StoreError, throwIfAborted } from "../errors.ts";
import { documentMembers, type RecordDocument } from "../event/document.ts";
import type { RecordedEvent } from "../event/event.ts";
import { canonicalJson } from "../event/json.ts";
import { parseRef, type Position, type RecordId } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { ancestors, carriers, descendants, type WalkEdge, type WalkStep } from "../lineage/walk.ts";
import { withdrawnBy } from "../log/cascade.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import type { ReadOptions } from "../log/event-log.ts";
import type { State } from "../records/state.ts";
import {
  documentOf,
  versionAsOf,
  versionEntry,
  versionsUpTo,
  withdrawalOf,
} from "../records/versions.ts";
import { fieldChanges } from "./field-changes.ts";
import type {
  History,
  Impact,
  ImpactAction,
  ImpactOptions,
  ImpactRow,
  InputVerdict,
  Lineage,
  LineageEdge,
  LineageNode,
  LineageOptions,
  OutdatedSource,
  Reader,
  RecordDiff,
  RecordView,
  Replay,
  StoreChange,
  StoreDiff,
  Verdict,
} from "./reader.ts";
import { isCurrentContent, recordView } from "./record-view.ts";

/** A version found by a ref. */
interface Found {
  readonly recordId: RecordId;
  readonly entry: VersionEntry;
  /** True when the ref named the version. */
  readonly versionGiven: boolean;
}

/** An immutable reader of one position. */
export class EmbeddedReader implements Reader {
  readonly asOf: Position;
  readonly #log: EmbeddedLog;
  readonly #state: State;

  constructor(log: EmbeddedLog, asOf: Position) {
    this.#log = log;
    this.#state = log.state;
    this.asOf = asOf;
  }

  async record(ref: string): Promise<RecordView> {
    return this.#view(this.#find(ref));
  }

  async findRecord(ref: string): Promise<RecordView | undefined> {
    const { target, version } = parseRef(ref);
    const found = this.#entry(target, version);
    return found === undefined ? undefined : recordView(this.#state, target, found, this.asOf);
  }

  async history(recordId: RecordId): Promise<History> {
    const { target } = parseRef(recordId);
    this.#find(target);
    const versions: RecordView[] = [];
    const events: RecordedEvent[] = [];
    for (const entry of versionsUpTo(this.#state, target, this.asOf)) {
      versions.push(recordView(this.#state, target, entry, this.asOf));
      events.push(must(this.#state.entry(entry.position), "a version has its event").event());
    }
    return { recordId: target, versions, events };
  }

  async diff(from: string, to: string): Promise<RecordDiff> {
    const before = this.#find(from);
    const after = this.#find(to);
    return {
      from: { recordId: before.recordId, version: before.entry.version },
      to: { recordId: after.recordId, version: after.entry.version },
      changes: fieldChanges(this.#document(before), this.#document(after)),
    };
  }

  async lineage(ref: string, options: LineageOptions = {}): Promise<Lineage> {
    const { direction = "ancestors", depth, signal } = options;
    if (depth !== undefined && (!Number.isInteger(depth) || depth < 1)) {
      throw new StoreError("argument-invalid", "depth must be a whole number from 1.", {
        details: { depth },
      });
    }
    const found = this.#find(ref);
    const graph = await this.#log.graph();
    throwIfAborted(signal);
    const start = found.entry.position;
    const edges: LineageEdge[] = [];
    const onEdge = (edge: WalkEdge) => edges.push(this.#edge(graph, edge));
    const walk = { asOf: this.asOf, depth, onEdge };
    const steps =
      direction === "ancestors"
        ? ancestors(graph, start, walk)
        : descendants(graph, [...carriers(graph, graph.contentOf(start), this.asOf)], walk);
    const nodes = [...steps].map((step) => this.#node(graph, step));
    return { of: graph.refAt(start), direction, asOf: this.asOf, nodes, edges };
  }

  async impact(ref: string, options: ImpactOptions = {}): Promise<Impact> {
    const { recordId, entry, versionGiven } = this.#find(ref);
    const current = must(
      versionAsOf(this.#state, recordId, this.asOf),
      "a found record has a current version",
    );
    const range = versionGiven
      ? { from: entry.contentVersion, to: options.since === true ? current.version : entry.version }
      : { from: 1, to: current.version };
    const graph = await this.#log.graph();
    throwIfAborted(options.signal);
    const fallen = options.cascade === false ? [] : withdrawnBy(graph, recordId, range, this.asOf);
    const rows: ImpactRow[] = [];
    const actions: ImpactAction[] = [];
    for (const { via, ...row } of [{ recordId, ...range, via: null }, ...fallen]) {
      const document = this.#documentAt(row.recordId, row.to);
      const { kind, name } = document;
      rows.push({
        recordId: row.recordId,
        versions: { from: row.from, to: row.to },
        kind,
        name,
        via,
      });
      for (const actionId of document.onInvalidate) {
        actions.push({ recordId: row.recordId, actionId, verdict: this.#actionVerdict(actionId) });
      }
    }
    return {
      of: { recordId, version: versionGiven ? entry.version : null },
      asOf: this.asOf,
      withdrawn: rows,
      actions,
    };
  }

  async replay(ref: string): Promise<Replay> {
    const { recordId, entry } = this.#find(ref);
    // What was decided is the content; a later withdrawal of it is part of the answer, not of the question.
    const decided = must(
      versionEntry(this.#state, recordId, entry.contentVersion),
      "a content version exists",
    );
    const decidedAt = decided.position;
    const graph = await this.#log.graph();
    const edges: LineageEdge[] = [];
    const onEdge = (edge: WalkEdge) => edges.push(this.#edge(graph, edge));
    const steps = [...ancestors(graph, decidedAt, { asOf: decidedAt, onEdge })];
    // A source always stands before what derives from it, so the order of positions is an order of derivation.
    const inputs = steps.map(({ position }) => position).toSorted((a, b) => a - b);
    const closure = [...inputs, decidedAt].map((position) =>
      this.#viewAt(graph, position, decidedAt),
    );
    return {
      decision: must(closure.at(-1), "the closure holds the decision"),
      decidedAt,
      closure,
      edges,
      verdicts: inputs.map((position) => this.#verdict(graph, position, decidedAt)),
      digest: closureDigest(closure),
    };
  }

  async outdatedSources(ref: string): Promise<readonly OutdatedSource[]> {
    const { stale, derivedFrom } = await this.record(ref);
    if (!stale) return [];
    return derivedFrom.flatMap(({ recordId, version }) => {
      if (isCurrentContent(this.#state, recordId, version, this.asOf)) return [];
      const now = must(versionAsOf(this.#state, recordId, this.asOf), "a source exists").version;
      return [{ source: { recordId, version }, now }];
    });
  }

  async changesSince(from: Position): Promise<StoreDiff> {
    if (!Number.isInteger(from) || from < 0 || from > this.asOf) {
      throw new StoreError("argument-invalid", `from must be a position from 0 to ${this.asOf}.`, {
        details: { from },
      });
    }
    const seen = new Set<RecordId>();
    for await (const entries of this.#log.readEntries({ from: from + 1, until: this.asOf })) {
      for (const { header } of entries) seen.add(header.recordId);
    }
    return {
      from,
      to: this.asOf,
      records: [...seen].map((recordId) => this.#change(recordId, from)),
    };
  }

  async *events(
    options: ReadOptions & { readonly recordId?: RecordId | undefined } = {},
  ): AsyncGenerator<RecordedEvent> {
    const until = Math.min(this.asOf, options.until ?? this.asOf);
    if (options.recordId === undefined) yield* this.#log.read({ ...options, until });
    else yield* this.#eventsOf(options.recordId, { ...options, until });
  }

  async *#eventsOf(recordId: RecordId, options: ReadOptions): AsyncGenerator<RecordedEvent> {
    this.#find(recordId);
    const positions = [...versionsUpTo(this.#state, recordId, options.until ?? this.asOf)].map(
      ({ position }) => position,
    );
    if (options.reverse === true) positions.reverse();
    let left = options.limit ?? Infinity;
    for (const position of positions) {
      const wanted =
        options.from === undefined ||
        (options.reverse === true ? position <= options.from : position >= options.from);
      if (!wanted) continue;
      if (left <= 0) return;
      throwIfAborted(options.signal);
      left -= 1;
      yield must(this.#state.entry(position), "a version has its event").event();
    }
  }

  #find(ref: string): Found {
    const { target, version } = parseRef(ref);
    const entry = this.#entry(target, version);
    if (entry !== undefined)
      return { recordId: target, entry, versionGiven: version !== undefined };
    const current = versionAsOf(this.#state, target, this.asOf);
    if (current === undefined) {
      throw new StoreError(
        "record-not-found",
        `There is no record ${JSON.stringify(target)} as of position ${this.asOf}.`,
        {
          details: { recordId: target, asOf: this.asOf },
        },
      );
    }
    throw new StoreError(
      "version-not-found",
      `Record ${JSON.stringify(target)} has no version ${version} as of position ${this.asOf}; the last is ${current.version}.`,
      { details: { recordId: target, version, current: current.version, asOf: this.asOf } },
    );
  }

  #entry(recordId: RecordId, version: number | undefined): VersionEntry | undefined {
    return version === undefined
      ? versionAsOf(this.#state, recordId, this.asOf)
      : versionEntry(this.#state, recordId, version, this.asOf);
  }

  #view({ recordId, entry }: Found): RecordView {
    return recordView(this.#state, recordId, entry, this.asOf);
  }

  #viewAt(graph: LineageGraph, position: Position, asOf: Position): RecordView {
    const { recordId, version } = graph.refAt(position);
    const entry = must(
      versionEntry(this.#state, recordId, version),
      "a node of the graph is a version",
    );
    return recordView(this.#state, recordId, entry, asOf);
  }

  #document({ recordId, entry }: Found): RecordDocument {
    return documentOf(this.#state, recordId, entry);
  }

  #documentAt(recordId: RecordId, version: number): RecordDocument {
    const entry = must(
      versionEntry(this.#state, recordId, version),
      "a version of the graph is stored",
    );
    return documentOf(this.#state, recordId, entry);
  }

  #node(graph: LineageGraph, { position, depth }: WalkStep): LineageNode {
    const { recordId, version } = graph.refAt(position);
    const { kind, name } = this.#documentAt(recordId, version);
    const status = graph.isWithdrawn(graph.contentOf(position), this.asOf) ? "invalid" : "valid";
    return { recordId, version, kind, name, status, depth };
  }

  #edge(graph: LineageGraph, { derived, source, edge }: WalkEdge): LineageEdge {
    return {
      derived: graph.refAt(derived),
      source: graph.refAt(source),
      role: graph.edgeRole(edge),
      relation: graph.edgeRelation(edge),
    };
  }

  #actionVerdict(actionId: RecordId): ImpactAction["verdict"] {
    const entry = versionAsOf(this.#state, actionId, this.asOf);
    if (entry === undefined) return "unknown";
    return withdrawalOf(this.#state, actionId, entry.contentVersion, this.asOf) === undefined
      ? "known"
      : "withdrawn";
  }

  #verdict(graph: LineageGraph, position: Position, decidedAt: Position): InputVerdict {
    const { recordId, version } = graph.refAt(position);
    const now = must(versionAsOf(this.#state, recordId, this.asOf), "an input exists").version;
    const content = graph.contentOf(position);
    let verdict: Verdict = "same";
    if (graph.isWithdrawn(content, decidedAt)) verdict = "already-withdrawn";
    else if (graph.isWithdrawn(content, this.asOf)) verdict = "withdrawn-since";
    else if (!isCurrentContent(this.#state, recordId, version, this.asOf)) verdict = "superseded";
    return { recordId, version, verdict, now };
  }

  #change(recordId: RecordId, from: Position): StoreChange {
    const after = must(
      versionAsOf(this.#state, recordId, this.asOf),
      "a record with an event has a version",
    );
    const before = versionAsOf(this.#state, recordId, from);
    const document = documentOf(this.#state, recordId, after);
    const row = { recordId, kind: document.kind, name: document.name, toVersion: after.version };
    if (before === undefined)
      return { ...row, changes: ["created"], fromVersion: null, fields: [] };
    const fields = fieldChanges(documentOf(this.#state, recordId, before), document);
    const wasValid = withdrawalOf(this.#state, recordId, before.contentVersion, from) === undefined;
    const isValid =
      withdrawalOf(this.#state, recordId, after.contentVersion, this.asOf) === undefined;
    const changes: StoreChange["changes"][number][] = [];
    if (fields.length > 0) changes.push("updated");
    if (wasValid && !isValid) changes.push("withdrawn");
    if (!wasValid && isValid) changes.push("restored");
    if (changes.length === 0) changes.push("touched");
    return { ...row, changes, fromVersion: before.version, fields };
  }
}

/** SHA-256 over ids, versions and documents: nothing that later events change takes part. */
function closureDigest(closure: readonly RecordView[]): string {
  const content = closure.map((record) => [
    record.id,
    record.version,
    ...documentMembers.map((member) => record[member]),
  ]);
  return createHash("sha256").update(canonicalJson(content)).digest("hex");
}
