/**
 * The lineage graph: every record version and every derivation, in typed arrays indexed by position.
 *
 * A node is a record version and is named by the position of its event, so "as of position P" is "ignore what is above
 * P". The graph is a fold of entry headers; it can be dropped and built again from the log at any time.
 */
import { assert, must } from "../assert.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import type { Derivation, Relation } from "../event/document.ts";
import type { Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import { Uint32Column } from "./columns.ts";
import { LabelTable, TextTable } from "./edge-labels.ts";
import { IdTable } from "./id-table.ts";
import { MarkPool } from "./marks.ts";

const isInvalidation = 1;
const setsEdges = 2;
const setsKind = 4;

/** What an event adds to the graph, in numbers: all that a snapshot has to keep of it. */
export interface NodeFacts {
  /** The record's number; one more than all so far for a new record. */
  readonly record: number;
  /** The number of the kind a creation gives; null for other events. */
  readonly kind: number | null;
  /** The first version an invalidation withdraws, and the last; null for other events. */
  readonly withdraws: { readonly from: Version; readonly to: Version } | null;
  /** Positions of the sources and numbers of the labels, in turn; null when the event names no sources. */
  readonly edges: ArrayLike<number> | null;
}

export class LineageGraph {
  /** Position up to which the log has been folded in. */
  head: Position = 0;
  /** Marks for walks over this graph. */
  readonly marks: MarkPool = new MarkPool();

  /** Record numbers are 0, 1, 2 in the order of creation. */
  readonly ids: IdTable = new IdTable();
  readonly kinds: TextTable = new TextTable();
  readonly labels: LabelTable = new LabelTable();
  readonly #lastOfRecord = new Uint32Column();

  // Per position.
  readonly #record = new Uint32Column();
  readonly #version = new Uint32Column();
  readonly #flags = new Uint32Column();
  readonly #kind = new Uint32Column();
  readonly #previous = new Uint32Column();
  /** An earlier version of the record, so chosen that any version is found in a logarithm of steps. */
  readonly #jump = new Uint32Column();
  readonly #next = new Uint32Column();
  readonly #content = new Uint32Column();
  readonly #edgesStart = new Uint32Column();
  readonly #edgesEnd = new Uint32Column();
  /** Number + 1 of the newest edge that pins this version; 0 for none. */
  readonly #newestDependant = new Uint32Column();
  /** For content: the position of the first invalidation that withdraws it. For an invalidation: its range. */
  readonly #withdrawn = new Uint32Column();
  readonly #withdrawsTo = new Map<Position, Version>();

  // Per edge number (0, 1, 2 in order of their events).
  #edgeCount = 0;
  readonly #edgeSource = new Uint32Column();
  readonly #edgeOwner = new Uint32Column();
  readonly #edgeOlder = new Uint32Column();
  readonly #edgeLabel = new Uint32Column();

  /** Folds in the next event. Events come in the order of their positions, without gaps. @throws `lineage-too-large` */
  apply({ position, structure, recordId }: EntryHeader): void {
    assert(position === this.head + 1, "the graph takes events in order");
    const isCreation = structure.type === "record.created";
    const isContent = structure.type !== "record.invalidated";
    const edges = isContent && structure.edges !== null ? this.#edgeNumbers(structure.edges) : null;
    this.add({
      record: this.ids.find(recordId) ?? this.ids.add(recordId),
      kind: isCreation ? this.kinds.numberOf(structure.kind) : null,
      withdraws: isContent ? null : structure,
      edges,
    });
  }

  /** Folds in the next event by its facts. Ids, kinds and labels it names must be there. @throws `lineage-too-large` */
  add({ record, kind, withdraws, edges }: NodeFacts): void {
    const position = this.head + 1;
    const previous = this.#lastOfRecord.get(record);
    const isContent = withdraws === null;
    this.#record.set(position, record);
    this.#version.set(position, this.#version.get(previous) + 1);
    this.#flags.set(
      position,
      (isContent ? 0 : isInvalidation) |
        (edges === null ? 0 : setsEdges) |
        (kind === null ? 0 : setsKind),
    );
    this.#kind.set(position, kind ?? this.#kind.get(previous));
    this.#previous.set(position, previous);
    this.#jump.set(position, this.#jumpFrom(previous));
    if (previous !== 0) this.#next.set(previous, position);
    this.#lastOfRecord.set(record, position);
    this.#content.set(position, isContent ? position : this.#content.get(previous));
    this.#newestDependant.set(position, 0);
    this.#next.set(position, 0);
    if (edges === null) {
      this.#edgesStart.set(position, this.#edgesStart.get(previous));
      this.#edgesEnd.set(position, this.#edgesEnd.get(previous));
    } else {
      this.#addEdges(position, edges);
    }
    this.#withdrawn.set(position, withdraws?.from ?? 0);
    if (withdraws !== null) this.#withdraw(position, withdraws.from, withdraws.to);
    this.head = position;
  }

  /** Takes back every event after a position, newest first: what a refused batch had added. */
  truncate(head: Position): void {
    while (this.head > head) this.#removeNewest();
  }

  /** What the event at a position added. */
  factsAt(position: Position): NodeFacts {
    const flags = this.#flags.get(position);
    const to = this.#withdrawsTo.get(position) ?? this.#version.get(position) - 1;
    const isContent = (flags & isInvalidation) === 0;
    return {
      record: this.#record.get(position),
      kind: (flags & setsKind) === 0 ? null : this.#kind.get(position),
      withdraws: isContent ? null : { from: this.#withdrawn.get(position), to },
      edges: (flags & setsEdges) === 0 ? null : this.#edgesAt(position),
    };
  }

  /** How many records had been created by a position. */
  recordsUpTo(position: Position): number {
    let newest = position;
    while (newest > 0 && this.#previous.get(newest) !== 0) newest -= 1;
    return newest === 0 ? 0 : this.#record.get(newest) + 1;
  }

  /** The position of a record's version, as far as it stood at `asOf`. O(log versions). */
  find({ recordId, version }: RecordVersionRef, asOf: Position = Infinity): Position | undefined {
    const record = this.ids.find(recordId);
    if (record === undefined) return undefined;
    const last = this.#lastOfRecord.get(record);
    if (version < 1 || version > this.#version.get(last)) return undefined;
    const position = this.#back(last, version);
    return position > asOf ? undefined : position;
  }

  recordIdAt(position: Position): RecordId {
    return this.ids.idAt(this.#record.get(position));
  }

  /** A number that is the same for the versions of one record and differs between records. */
  recordNumberAt(position: Position): number {
    return this.#record.get(position);
  }

  versionAt(position: Position): Version {
    return this.#version.get(position);
  }

  refAt(position: Position): RecordVersionRef {
    return { recordId: this.recordIdAt(position), version: this.versionAt(position) };
  }

  /** The number of a version's kind. */
  kindAt(position: Position): number {
    return this.#kind.get(position);
  }

  /** The position of the content version that a version carries: its own unless it is an invalidation. */
  contentOf(position: Position): Position {
    return this.#content.get(position);
  }

  isInvalidation(position: Position): boolean {
    return (this.#flags.get(position) & isInvalidation) !== 0;
  }

  /** True for a version that a creation made. */
  isCreation(position: Position): boolean {
    return (this.#flags.get(position) & setsKind) !== 0;
  }

  /** True for a version that names its sources itself, if only to have none. */
  setsEdges(position: Position): boolean {
    return (this.#flags.get(position) & setsEdges) !== 0;
  }

  /** The next version of the same record, or 0. */
  nextVersion(position: Position): Position {
    return this.#next.get(position);
  }

  /** The first of the numbers of a version's edges. A version that names no sources has those of the version before. */
  edgesStart(position: Position): number {
    return this.#edgesStart.get(position);
  }

  /** One more than the last of the numbers of a version's edges. */
  edgesEnd(position: Position): number {
    return this.#edgesEnd.get(position);
  }

  edgeSource(edge: number): Position {
    return this.#edgeSource.get(edge);
  }

  /** The version that named the edge. */
  edgeOwner(edge: number): Position {
    return this.#edgeOwner.get(edge);
  }

  /** The number of an edge's label. */
  edgeLabel(edge: number): number {
    return this.#edgeLabel.get(edge);
  }

  edgeRole(edge: number): string | null {
    return this.labels.at(this.#edgeLabel.get(edge)).role;
  }

  edgeRelation(edge: number): Relation {
    return this.labels.at(this.#edgeLabel.get(edge)).relation;
  }

  /** Number + 1 of the newest edge that pins exactly this version; 0 for none. */
  newestDependant(position: Position): number {
    return this.#newestDependant.get(position);
  }

  /** Number + 1 of the edge that pinned the same version before this one; 0 for none. */
  olderDependant(edge: number): number {
    return this.#edgeOlder.get(edge);
  }

  /** True when some derivation pins exactly this version, as of a position. */
  isPinned(position: Position, asOf: Position): boolean {
    let edge = this.#newestDependant.get(position);
    while (edge !== 0 && this.#edgeOwner.get(edge - 1) > asOf) edge = this.#edgeOlder.get(edge - 1);
    return edge !== 0;
  }

  /** True when a content version is withdrawn as of a position. */
  isWithdrawn(content: Position, asOf: Position = Infinity): boolean {
    const first = this.#withdrawn.get(content);
    return first !== 0 && first <= asOf;
  }

  /** The earlier of two places whose distances double, as in a skew-binary number: each step back halves what is left. */
  #jumpFrom(previous: Position): Position {
    const jump = this.#jump.get(previous);
    const further = this.#jump.get(jump);
    const version = (position: Position) => this.#version.get(position);
    const isEven = version(previous) - version(jump) === version(jump) - version(further);
    return isEven ? further : previous;
  }

  /** The version of a record at or before a position, by its number. */
  #back(from: Position, version: Version): Position {
    let position = from;
    while (this.#version.get(position) > version) {
      const jump = this.#jump.get(position);
      position = this.#version.get(jump) >= version ? jump : this.#previous.get(position);
    }
    return position;
  }

  #withdraw(invalidation: Position, from: Version, to: Version): void {
    const previous = this.#previous.get(invalidation);
    if (to !== this.#version.get(previous)) this.#withdrawsTo.set(invalidation, to);
    let content = this.#content.get(this.#back(previous, to));
    while (content !== 0 && this.#version.get(content) >= from) {
      const first = this.#withdrawn.get(content);
      if (first === 0) {
        this.#withdrawn.set(content, invalidation);
        content = this.#contentBefore(content);
      } else {
        // All versions from the first one of that withdrawal to this one fell then.
        content = this.#contentBefore(this.#back(content, this.#withdrawn.get(first)));
      }
    }
  }

  #contentBefore(position: Position): Position {
    return this.#content.get(this.#previous.get(position));
  }

  #edgeNumbers(edges: readonly Derivation[]): number[] {
    const numbers: number[] = [];
    for (const edge of edges) {
      const source = this.find(edge);
      numbers.push(
        must(source, "a stored derivation names a version that stands before it"),
        this.labels.numberOf(edge.role, edge.relation),
      );
    }
    return numbers;
  }

  #edgesAt(position: Position): number[] {
    const numbers: number[] = [];
    const end = this.#edgesEnd.get(position);
    for (let edge = this.#edgesStart.get(position); edge < end; edge += 1) {
      numbers.push(this.#edgeSource.get(edge), this.#edgeLabel.get(edge));
    }
    return numbers;
  }

  #addEdges(owner: Position, edges: ArrayLike<number>): void {
    this.#edgesStart.set(owner, this.#edgeCount);
    for (let index = 0; index < edges.length; index += 2) {
      const source = edges[index] as number;
      const number = this.#edgeCount;
      this.#edgeSource.set(number, source);
      this.#edgeOwner.set(number, owner);
      this.#edgeOlder.set(number, this.#newestDependant.get(source));
      this.#newestDependant.set(source, number + 1);
      this.#edgeLabel.set(number, edges[index + 1] as number);
      this.#edgeCount += 1;
    }
    this.#edgesEnd.set(owner, this.#edgeCount);
  }

  #removeNewest(): void {
    const position = this.head;
    const record = this.#record.get(position);
    const previous = this.#previous.get(position);
    if (this.setsEdges(position)) {
      const start = this.edgesStart(position);
      while (this.#edgeCount > start) {
        this.#edgeCount -= 1;
        this.#newestDependant.set(
          this.#edgeSource.get(this.#edgeCount),
          this.#edgeOlder.get(this.#edgeCount),
        );
      }
    }
    if (this.isInvalidation(position)) this.#reinstate(position, previous);
    this.#lastOfRecord.set(record, previous);
    if (previous === 0) this.ids.removeNewest();
    else this.#next.set(previous, 0);
    this.head = position - 1;
  }

  #reinstate(invalidation: Position, previous: Position): void {
    const from = this.#withdrawn.get(invalidation);
    let content = this.#content.get(previous);
    for (
      ;
      content !== 0 && this.#version.get(content) >= from;
      content = this.#contentBefore(content)
    ) {
      if (this.#withdrawn.get(content) === invalidation) this.#withdrawn.set(content, 0);
    }
    this.#withdrawsTo.delete(invalidation);
  }
}
