/** A naive model of the whole store: an array of events, and DESIGN's rules applied to all of it every time. */
import { must } from "../assert.ts";
import type { ErrorCode } from "../errors.ts";
import {
  completeDocument,
  defaultRelation,
  placeholderKind,
  type Derivation,
  type NewDerivation,
  type PinnedDocument,
} from "../event/document.ts";
import type { NewEvent, RecordedEvent } from "../event/event.ts";
import { canonicalJson, mergePatch } from "../event/json.ts";
import type { EventId, Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import {
  contentOf,
  contentText,
  currentOf,
  eventOf,
  fallsWith,
  withdrawalOf,
  type OracleContent,
  type OracleEvent,
  type OracleWithdrawal,
} from "./oracle-facts.ts";
import { OracleReader, type RecordedFacts } from "./oracle-reader.ts";

/** What the model expects of one event given. */
export interface OracleAppended {
  readonly status: "stored" | "duplicate";
  readonly position: Position;
  readonly version: Version;
  readonly placeholders: readonly Position[];
  readonly consequences: readonly Position[];
}

/** What the model expects of a batch. */
export type OracleOutcome =
  | { readonly code: null; readonly appended: readonly OracleAppended[] }
  | { readonly code: ErrorCode; readonly index: number };

class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

type Created = Extract<NewEvent, { type: "record.created" }>;
type Updated = Extract<NewEvent, { type: "record.updated" }>;
type Invalidated = Extract<NewEvent, { type: "record.invalidated" }>;

/** Predicts every answer of a store. Slow on purpose; it shares no algorithm with the store. */
export class Oracle {
  #events: OracleEvent[] = [];
  #sent = new Map<EventId, { readonly content: string; readonly answer: OracleAppended }>();
  readonly #recorded = new Map<Position, RecordedFacts>();

  get head(): Position {
    return this.#events.length;
  }

  get events(): readonly OracleEvent[] {
    return this.#events;
  }

  /** Takes a batch whole, or refuses it and forgets it. */
  append(batch: readonly NewEvent[]): OracleOutcome {
    const events = [...this.#events];
    const sent = new Map(this.#sent);
    const appended: OracleAppended[] = [];
    for (const [index, event] of batch.entries()) {
      try {
        appended.push(this.#take(event));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.#events = events;
        this.#sent = sent;
        return { code: error.code, index };
      }
    }
    return { code: null, appended };
  }

  /** Learns what no model can predict about an event: the id and the time the store gave it. */
  learn({ position, id, recordedAt }: RecordedEvent): void {
    this.#recorded.set(position, { id, recordedAt });
  }

  /** A model that goes its own way from here. */
  fork(): Oracle {
    const copy = new Oracle();
    copy.#events = [...this.#events];
    copy.#sent = new Map(this.#sent);
    return copy;
  }

  /** The id learned for the event at a position. */
  idAt(position: Position): EventId | undefined {
    return this.#recorded.get(position)?.id;
  }

  /** The model as of a position. */
  at(position: Position): OracleReader {
    return new OracleReader(this.#events.slice(0, position), this.#recorded);
  }

  #take(event: NewEvent): OracleAppended {
    const content = sentContent(event);
    const before = event.id === undefined ? undefined : this.#sent.get(event.id);
    if (before !== undefined) {
      if (before.content !== content) throw new Refusal("event-id-reused");
      return { ...before.answer, status: "duplicate" };
    }
    this.#checkExpected(event);
    const answer = this.#decide(event);
    if (event.id !== undefined) this.#sent.set(event.id, { content, answer });
    return answer;
  }

  #decide(event: NewEvent): OracleAppended {
    if (event.type === "record.created") return this.#create(event);
    if (currentOf(this.#events, event.recordId) === undefined)
      throw new Refusal("record-not-found");
    return event.type === "record.updated" ? this.#update(event) : this.#invalidate(event);
  }

  #checkExpected({ recordId, expectedVersion = "any" }: NewEvent): void {
    const actual = currentOf(this.#events, recordId)?.version ?? 0;
    const fits =
      expectedVersion === "any" ||
      (expectedVersion === "none" && actual === 0) ||
      (expectedVersion === "exists" && actual > 0) ||
      expectedVersion === actual;
    if (!fits) throw new Refusal("version-conflict");
  }

  #create(event: Created): OracleAppended {
    const { recordId, data } = event;
    const current = currentOf(this.#events, recordId);
    if (current !== undefined) {
      const { document } = contentOf(this.#events, current).content;
      if (document.kind !== placeholderKind) throw new Refusal("record-already-exists");
    }
    const { derivedFrom: _sources, ...rest } = data;
    const placeholders = this.#placeholders(event, data.derivedFrom ?? []);
    const derivedFrom = this.#pin(data.derivedFrom ?? []);
    const stored = this.#push(event, {
      content: { document: completeDocument({ ...rest, derivedFrom }) },
      data: { ...rest, ...(derivedFrom.length > 0 && { derivedFrom }) },
    });
    return this.#answer(stored, placeholders, this.#lateEdge(event, stored));
  }

  #update(event: Updated): OracleAppended {
    const { recordId, data } = event;
    const current = must(currentOf(this.#events, recordId), "checked before");
    if (data.restores !== undefined && data.restores > current.version)
      throw new Refusal("version-not-found");
    const before = contentOf(this.#events, current).content;
    const named =
      data.patch === undefined ? (data.document?.derivedFrom ?? []) : data.patch.derivedFrom;
    const placeholders = this.#placeholders(event, named ?? []);
    const derivedFrom = named === undefined ? undefined : this.#pin(named ?? []);
    const change = { ...(data.patch ?? data.document), ...(derivedFrom && { derivedFrom }) };
    const document = completeDocument(
      (data.patch === undefined ? change : mergePatch(before.document, change)) as PinnedDocument,
    );
    if (document.kind !== before.document.kind) throw new Refusal("kind-immutable");
    if (data.restores !== undefined) {
      const old = eventOf(this.#events, { recordId, version: data.restores });
      const { content } = contentOf(this.#events, old);
      if (contentText(content) !== contentText({ document })) throw new Refusal("event-invalid");
    }
    const stored = this.#push(event, {
      content: { document },
      data: withoutUndefined({
        [data.patch === undefined ? "document" : "patch"]: change,
        reason: data.reason,
        restores: data.restores,
      }),
    });
    return this.#answer(stored, placeholders, this.#lateEdge(event, stored));
  }

  #invalidate(event: Invalidated): OracleAppended {
    const { recordId, data } = event;
    const current = must(currentOf(this.#events, recordId), "checked before");
    const { from = 1, to = current.version } = data.versions ?? {};
    if (from > current.version || to > current.version) throw new Refusal("version-not-found");
    const first = contentOf(this.#events, eventOf(this.#events, { recordId, version: from }));
    const range = { from: first.version, to };
    const falls = event.cascade === false ? [] : fallsWith(this.#events, recordId, range);
    const stored = this.#push(event, {
      withdrawal: { ...range, cause: data.cause, root: null, via: null },
      data: { cause: data.cause, versions: range },
    });
    const consequences = falls.map(({ via, ...fall }) =>
      this.#withdraw(event, fall.recordId, {
        from: fall.from,
        to: fall.to,
        cause: data.cause,
        root: stored.position,
        via,
      }),
    );
    return this.#answer(stored, [], consequences);
  }

  /** S8. */
  #lateEdge(event: NewEvent, stored: OracleEvent): OracleEvent[] {
    if (event.allowInvalidSources === true) return [];
    const { document } = contentOf(this.#events, stored).content;
    for (const { recordId, version } of document.derivedFrom) {
      const source = contentOf(this.#events, eventOf(this.#events, { recordId, version }));
      const first = withdrawalOf(this.#events, source);
      if (first === undefined) continue;
      const withdrawal = {
        from: stored.version,
        to: stored.version,
        cause: first.withdrawal.cause,
        root: first.withdrawal.root ?? first.position,
        via: { recordId, version },
      };
      return [this.#withdraw(event, stored.recordId, withdrawal)];
    }
    return [];
  }

  #withdraw(event: NewEvent, recordId: RecordId, withdrawal: OracleWithdrawal): OracleEvent {
    const { from, to, cause } = withdrawal;
    return this.#push(
      { type: "record.invalidated", recordId, actor: event.actor },
      { withdrawal, data: { cause, versions: { from, to } } },
    );
  }

  /** S9. */
  #placeholders(event: NewEvent, sources: readonly NewDerivation[]): OracleEvent[] {
    if (event.unknownSources !== "placeholder") return [];
    const made: OracleEvent[] = [];
    for (const { recordId, version = 1 } of sources) {
      const isKnown = currentOf(this.#events, recordId) !== undefined;
      if (isKnown || version !== 1 || recordId === event.recordId) continue;
      const data = { kind: placeholderKind, name: recordId };
      made.push(
        this.#push(
          { type: "record.created", recordId, actor: event.actor },
          { content: { document: completeDocument(data) }, data },
        ),
      );
    }
    return made;
  }

  #pin(sources: readonly NewDerivation[]): Derivation[] {
    const pinned = sources.map(({ recordId, version, role, relation }) => {
      const current = currentOf(this.#events, recordId)?.version ?? 0;
      if (current === 0 || (version ?? 0) > current) throw new Refusal("source-unknown");
      return {
        recordId,
        version: version ?? current,
        role: role ?? null,
        relation: relation ?? defaultRelation,
      };
    });
    if (new Set(pinned.map((edge) => canonicalJson(edge))).size < pinned.length)
      throw new Refusal("event-invalid");
    return pinned;
  }

  #push(
    event: Pick<NewEvent, "type" | "recordId" | "occurredAt" | "actor">,
    facts: {
      readonly content?: OracleContent;
      readonly withdrawal?: OracleWithdrawal;
      readonly data: OracleEvent["data"];
    },
  ): OracleEvent {
    const { type, recordId, occurredAt = null, actor = null } = event;
    const stored: OracleEvent = {
      position: this.head + 1,
      recordId,
      version: (currentOf(this.#events, recordId)?.version ?? 0) + 1,
      type,
      occurredAt,
      actor,
      content: facts.content ?? null,
      withdrawal: facts.withdrawal ?? null,
      data: facts.data,
    };
    this.#events.push(stored);
    return stored;
  }

  #answer(
    { position, version }: OracleEvent & RecordVersionRef,
    placeholders: readonly OracleEvent[],
    consequences: readonly OracleEvent[],
  ): OracleAppended {
    return {
      status: "stored",
      position,
      version,
      placeholders: placeholders.map((event) => event.position),
      consequences: consequences.map((event) => event.position),
    };
  }
}

/** What must be the same for an event sent again to be the same event: everything that is stored of it. */
function sentContent(event: NewEvent): string {
  const { type, recordId, data, occurredAt, actor, causationId, correlationId } = event;
  return canonicalJson({ type, recordId, data, occurredAt, actor, causationId, correlationId });
}

function withoutUndefined(value: Readonly<Record<string, unknown>>): OracleEvent["data"] {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
