/**
 * The lineage graph: every record version and every derivation, in typed arrays indexed by position.
 *
 * A node is a record version and is named by the position of its event, so "as of position P" is "ignore what is above
 * P". The graph is a fold of entry headers; it can be dropped and built again from the log at any time.
 */
import { assert, must } from "../assert.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import { defaultRelation, type Derivation, type Relation } from "../event/document.ts";
import type { Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import { Uint32Column } from "./columns.ts";

const isInvalidation = 1;
const setsEdges = 2;

/** The numbers of the nodes' edges, half open. */
export interface EdgeRange {
  readonly start: number;
  readonly end: number;
}

export class LineageGraph {
  /** Position up to which the log has been folded in. */
  head: Position = 0;

  // Per record number (0, 1, 2 in order of creation).
  readonly #recordIds: RecordId[] = [];
  readonly #recordNumbers = new Map<RecordId, number>();
  readonly #lastOfRecord = new Uint32Column();
  readonly #lastInvalidationOfRecord = new Uint32Column();

  // Per position.
  readonly #record = new Uint32Column();
  readonly #version = new Uint32Column();
  readonly #flags = new Uint32Column();
  readonly #previous = new Uint32Column();
  readonly #next = new Uint32Column();
  readonly #content = new Uint32Column();
  readonly #edgesStart = new Uint32Column();
  readonly #edgesEnd = new Uint32Column();
  /** Number + 1 of the newest edge that pins this version; 0 for none. */
  readonly #newestDependant = new Uint32Column();
  /** For an invalidation: the range it withdraws, and the record's invalidation before it. */
  readonly #from = new Uint32Column();
  readonly #to = new Uint32Column();
  readonly #previousInvalidation = new Uint32Column();

  // Per edge number (0, 1, 2 in order of their events).
  #edgeCount = 0;
  readonly #edgeSource = new Uint32Column();
  readonly #edgeOwner = new Uint32Column();
  readonly #edgeOlder = new Uint32Column();
  readonly #edgeRole = new Uint32Column();
  readonly #edgeRelation = new Uint32Column();

  readonly #texts: string[] = [""];
  readonly #textNumbers = new Map<string, number>([["", 0]]);

  /** Folds in the next event. Events come in the order of their positions, without gaps. */
  apply(header: EntryHeader): void {
    const { position, structure, recordId } = header;
    assert(position === this.head + 1, "the graph takes events in order");
    const record = this.#recordNumber(recordId);
    const previous = this.#lastOfRecord.get(record);
    const isContent = structure.type !== "record.invalidated";
    const edges =
      structure.type === "record.created" ? structure.edges : isContent ? structure.edges : null;

    this.#record.set(position, record);
    this.#version.set(position, header.version);
    this.#previous.set(position, previous);
    if (previous !== 0) this.#next.set(previous, position);
    this.#lastOfRecord.set(record, position);
    this.#content.set(position, isContent ? position : this.#content.get(previous));
    this.#flags.set(position, (isContent ? 0 : isInvalidation) | (edges === null ? 0 : setsEdges));
    this.#newestDependant.set(position, 0);
    this.#next.set(position, 0);
    if (edges === null) {
      this.#edgesStart.set(position, this.#edgesStart.get(previous));
      this.#edgesEnd.set(position, this.#edgesEnd.get(previous));
    } else {
      this.#addEdges(position, edges);
    }
    if (structure.type === "record.invalidated") {
      this.#from.set(position, structure.from);
      this.#to.set(position, structure.to);
      this.#previousInvalidation.set(position, this.#lastInvalidationOfRecord.get(record));
      this.#lastInvalidationOfRecord.set(record, position);
    }
    this.head = position;
  }

  /** Takes back every event after a position, newest first: what a refused batch had added. */
  truncate(head: Position): void {
    while (this.head > head) this.#removeNewest();
  }

  /** The position of a record's version, as far as it stood at `asOf`. */
  find(ref: RecordVersionRef, asOf: Position = Infinity): Position | undefined {
    const record = this.#recordNumbers.get(ref.recordId);
    if (record === undefined) return undefined;
    let position = this.#lastOfRecord.get(record);
    while (position !== 0 && this.#version.get(position) !== ref.version)
      position = this.#previous.get(position);
    return position === 0 || position > asOf ? undefined : position;
  }

  recordIdAt(position: Position): RecordId {
    return must(this.#recordIds[this.#record.get(position)], "a position has a record");
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

  /** The position of the content version that a version carries: its own unless it is an invalidation. */
  contentOf(position: Position): Position {
    return this.#content.get(position);
  }

  isInvalidation(position: Position): boolean {
    return (this.#flags.get(position) & isInvalidation) !== 0;
  }

  /** The next version of the same record, or 0. */
  nextVersion(position: Position): Position {
    return this.#next.get(position);
  }

  /** The sources of a version, as edge numbers. A version that names none has those of the version before. */
  edgesOf(position: Position): EdgeRange {
    return { start: this.#edgesStart.get(position), end: this.#edgesEnd.get(position) };
  }

  edgeSource(edge: number): Position {
    return this.#edgeSource.get(edge);
  }

  edgeRole(edge: number): string | null {
    const role = this.#edgeRole.get(edge);
    return role === 0 ? null : (this.#texts[role] ?? null);
  }

  edgeRelation(edge: number): Relation {
    const relation = this.#edgeRelation.get(edge);
    return relation === 0 ? defaultRelation : (this.#texts[relation] as Relation);
  }

  /** True when some derivation pins exactly this version, as of a position. */
  isPinned(position: Position, asOf: Position): boolean {
    let edge = this.#newestDependant.get(position);
    while (edge !== 0 && this.#edgeOwner.get(edge - 1) > asOf) edge = this.#edgeOlder.get(edge - 1);
    return edge !== 0;
  }

  /** The versions that derive from exactly this version, with the edge each does it by. */
  *dependantsOf(
    position: Position,
    asOf: Position,
  ): Generator<{ position: Position; edge: number }> {
    for (
      let next = this.#newestDependant.get(position);
      next !== 0;
      next = this.#edgeOlder.get(next - 1)
    ) {
      const edge = next - 1;
      let derived = this.#edgeOwner.get(edge);
      // The sources named by one version hold until a later version names its own.
      while (derived !== 0 && derived <= asOf) {
        yield { position: derived, edge };
        derived = this.#next.get(derived);
        if ((this.#flags.get(derived) & setsEdges) !== 0) break;
      }
    }
  }

  /** True when a content version is withdrawn as of a position. */
  isWithdrawn(content: Position, asOf: Position = Infinity): boolean {
    const version = this.#version.get(content);
    let invalidation = this.#lastInvalidationOfRecord.get(this.#record.get(content));
    while (invalidation > content) {
      if (
        invalidation <= asOf &&
        this.#from.get(invalidation) <= version &&
        version <= this.#to.get(invalidation)
      ) {
        return true;
      }
      invalidation = this.#previousInvalidation.get(invalidation);
    }
    return false;
  }

  #recordNumber(recordId: RecordId): number {
    const known = this.#recordNumbers.get(recordId);
    if (known !== undefined) return known;
    const number = this.#recordIds.length;
    this.#recordIds.push(recordId);
    this.#recordNumbers.set(recordId, number);
    this.#lastOfRecord.set(number, 0);
    this.#lastInvalidationOfRecord.set(number, 0);
    return number;
  }

  #addEdges(owner: Position, edges: readonly Derivation[]): void {
    this.#edgesStart.set(owner, this.#edgeCount);
    for (const edge of edges) {
      const source = must(
        this.find(edge),
        "a stored derivation names a version that stands before it",
      );
      const number = this.#edgeCount;
      this.#edgeSource.set(number, source);
      this.#edgeOwner.set(number, owner);
      this.#edgeOlder.set(number, this.#newestDependant.get(source));
      this.#newestDependant.set(source, number + 1);
      this.#edgeRole.set(number, this.#textNumber(edge.role ?? ""));
      this.#edgeRelation.set(
        number,
        edge.relation === defaultRelation ? 0 : this.#textNumber(edge.relation),
      );
      this.#edgeCount += 1;
    }
    this.#edgesEnd.set(owner, this.#edgeCount);
  }

  #textNumber(text: string): number {
    const known = this.#textNumbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.length;
    this.#texts.push(text);
    this.#textNumbers.set(text, number);
    return number;
  }

  #removeNewest(): void {
    const position = this.head;
    const record = this.#record.get(position);
    const previous = this.#previous.get(position);
    if ((this.#flags.get(position) & setsEdges) !== 0) {
      const { start } = this.edgesOf(position);
      while (this.#edgeCount > start) {
        this.#edgeCount -= 1;
        this.#newestDependant.set(
          this.#edgeSource.get(this.#edgeCount),
          this.#edgeOlder.get(this.#edgeCount),
        );
      }
    }
    if (this.isInvalidation(position)) {
      this.#lastInvalidationOfRecord.set(record, this.#previousInvalidation.get(position));
    }
    this.#lastOfRecord.set(record, previous);
    if (previous === 0) {
      this.#recordNumbers.delete(must(this.#recordIds.pop(), "the newest record"));
    } else {
      this.#next.set(previous, 0);
    }
    this.head = position - 1;
  }
}
