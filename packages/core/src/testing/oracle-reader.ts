/** The oracle's answers to every question of a reader, worked out from all events up to a position. */
import { must } from "../assert.ts";
import type { RecordDocument } from "../event/document.ts";
import type { EventId, Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import type {
  ImpactRow,
  InputVerdict,
  InvalidationView,
  LineageEdge,
  LineageNode,
  RecordView,
  Verdict,
} from "../read/reader.ts";
import {
  carriersOf,
  contentEvents,
  contentOf,
  currentOf,
  dependenciesOn,
  eventOf,
  fallsWith,
  isCurrent,
  versionsOf,
  withdrawalOf,
  type ContentEvent,
  type OracleEvent,
} from "./oracle-facts.ts";

/** What the store gave an event and the model learned from it. */
export interface RecordedFacts {
  readonly id: EventId;
  readonly recordedAt: string;
}

/** A predicted lineage; nodes by depth, record and version, edges in no order. */
export interface OracleLineage {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
}

/** A predicted replay, without the digest. */
export interface OracleReplay {
  readonly decidedAt: Position;
  readonly closure: readonly RecordView[];
  readonly edges: readonly LineageEdge[];
  readonly verdicts: readonly InputVerdict[];
}

/** The model as of one position. */
export class OracleReader {
  readonly #events: readonly OracleEvent[];
  readonly #recorded: ReadonlyMap<Position, RecordedFacts>;

  constructor(events: readonly OracleEvent[], recorded: ReadonlyMap<Position, RecordedFacts>) {
    this.#events = events;
    this.#recorded = recorded;
  }

  /** Ids of all records, in the order of their creation. */
  recordIds(): RecordId[] {
    return [...new Set(this.#events.map(({ recordId }) => recordId))];
  }

  currentVersion(recordId: RecordId): Version {
    return currentOf(this.#events, recordId)?.version ?? 0;
  }

  document(ref: RecordVersionRef): RecordDocument {
    return contentOf(this.#events, eventOf(this.#events, ref)).content.document;
  }

  /** Names the content that a version carries: equal for the versions that carry the same. */
  contentText(ref: RecordVersionRef): string {
    return String(contentOf(this.#events, eventOf(this.#events, ref)).position);
  }

  /** The version that made a content. */
  refOf(contentText: string): RecordVersionRef {
    const { recordId, version } = must(this.#events[Number(contentText) - 1], "a content");
    return { recordId, version };
  }

  history(recordId: RecordId): RecordView[] {
    return versionsOf(this.#events, recordId).map((event) => this.#view(event));
  }

  record(ref: RecordVersionRef): RecordView {
    return this.#view(eventOf(this.#events, ref));
  }

  ancestors(ref: RecordVersionRef): OracleLineage {
    const reached: { readonly event: OracleEvent; readonly depth: number }[] = [
      { event: eventOf(this.#events, ref), depth: 0 },
    ];
    const edges: LineageEdge[] = [];
    for (const { event, depth } of reached) {
      for (const edge of contentOf(this.#events, event).content.document.derivedFrom) {
        const source = eventOf(this.#events, edge);
        edges.push(toEdge(event, source, edge));
        if (reached.some((other) => other.event.position === source.position)) continue;
        reached.push({ event: source, depth: depth + 1 });
      }
    }
    return { nodes: this.#nodes(reached.slice(1)), edges };
  }

  descendants(ref: RecordVersionRef): OracleLineage {
    const start = contentOf(this.#events, eventOf(this.#events, ref));
    const reached: { readonly content: ContentEvent; readonly depth: number }[] = [
      { content: start, depth: 0 },
    ];
    const edges: LineageEdge[] = [];
    for (const { content, depth } of reached) {
      for (const { derived, pinned, index } of dependenciesOn(this.#events, content)) {
        const edge = must(derived.content.document.derivedFrom[index], "an edge");
        for (const event of this.#listed(derived)) edges.push(toEdge(event, pinned, edge));
        if (reached.some((other) => other.content.position === derived.position)) continue;
        reached.push({ content: derived, depth: depth + 1 });
      }
    }
    const steps = reached
      .slice(1)
      .flatMap(({ content, depth }) => this.#listed(content).map((event) => ({ event, depth })));
    return { nodes: this.#nodes(steps), edges };
  }

  /** What an invalidation of a range would withdraw, the record itself first. */
  impact(recordId: RecordId, range: { readonly from: Version; readonly to: Version }): ImpactRow[] {
    const first = contentOf(this.#events, eventOf(this.#events, { recordId, version: range.from }));
    const own = { recordId, from: first.version, to: range.to, via: null };
    return [own, ...fallsWith(this.#events, recordId, own)].map(({ via, ...row }) => {
      const { kind, name } = this.document({ recordId: row.recordId, version: row.to });
      return {
        recordId: row.recordId,
        versions: { from: row.from, to: row.to },
        kind,
        name,
        via,
      };
    });
  }

  replay(ref: RecordVersionRef): OracleReplay {
    const decided = contentOf(this.#events, eventOf(this.#events, ref));
    const then = new OracleReader(this.#events.slice(0, decided.position), this.#recorded);
    const { nodes, edges } = then.ancestors(decided);
    const inputs = nodes
      .map((node) => eventOf(this.#events, node))
      .toSorted((a, b) => a.position - b.position);
    return {
      decidedAt: decided.position,
      closure: [...inputs, decided].map((event) => then.record(event)),
      edges,
      verdicts: inputs.map((event) => this.#verdict(event, then)),
    };
  }

  #verdict(input: OracleEvent, then: OracleReader): InputVerdict {
    const { recordId, version } = input;
    let verdict: Verdict = isCurrent(this.#events, input) ? "same" : "superseded";
    if (!this.#isValid(input)) verdict = "withdrawn-since";
    if (!then.#isValid(input)) verdict = "already-withdrawn";
    return { recordId, version, verdict, now: this.currentVersion(recordId) };
  }

  #isValid(event: OracleEvent): boolean {
    return withdrawalOf(this.#events, contentOf(this.#events, event)) === undefined;
  }

  /** The versions of a content that lineage lists: its own, and those of invalidations that something pins. */
  #listed(content: ContentEvent): OracleEvent[] {
    return carriersOf(this.#events, content).filter(
      (event) => event.position === content.position || this.#isPinned(event),
    );
  }

  #isPinned({ recordId, version }: OracleEvent): boolean {
    return contentEvents(this.#events).some(({ content }) =>
      content.document.derivedFrom.some(
        (edge) => edge.recordId === recordId && edge.version === version,
      ),
    );
  }

  #nodes(steps: readonly { readonly event: OracleEvent; readonly depth: number }[]): LineageNode[] {
    return steps.map(({ event, depth }) => {
      const { recordId, version } = event;
      const { kind, name } = this.document(event);
      const status = this.#isValid(event) ? "valid" : "invalid";
      return { recordId, version, kind, name, status, depth };
    });
  }

  #view(event: OracleEvent): RecordView {
    const { document } = contentOf(this.#events, event).content;
    const invalidation = this.#invalidation(event);
    const first = must(versionsOf(this.#events, event.recordId)[0], "a record has a version");
    return {
      ...document,
      id: event.recordId,
      version: event.version,
      status: invalidation === null ? "valid" : "invalid",
      stale:
        invalidation === null &&
        document.derivedFrom.some((source) => !isCurrent(this.#events, source)),
      createdAt: this.#facts(first.position).recordedAt,
      recordedAt: this.#facts(event.position).recordedAt,
      occurredAt: event.occurredAt,
      actor: event.actor,
      position: event.position,
      invalidation,
    };
  }

  #invalidation(event: OracleEvent): InvalidationView | null {
    const first = withdrawalOf(this.#events, contentOf(this.#events, event));
    if (first === undefined) return null;
    const root = must(this.#events[(first.withdrawal.root ?? first.position) - 1], "a root");
    return {
      cause: first.withdrawal.cause,
      position: first.position,
      recordedAt: this.#facts(first.position).recordedAt,
      root: { eventId: this.#facts(root.position).id, recordId: root.recordId },
      via: first.withdrawal.via,
    };
  }

  #facts(position: Position): RecordedFacts {
    return must(this.#recorded.get(position), "the model has learned of every event");
  }
}

function toEdge(
  derived: RecordVersionRef,
  source: RecordVersionRef,
  { role, relation }: Pick<LineageEdge, "role" | "relation">,
): LineageEdge {
  return {
    derived: { recordId: derived.recordId, version: derived.version },
    source: { recordId: source.recordId, version: source.version },
    role,
    relation,
  };
}
