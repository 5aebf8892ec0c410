/** Generators of small random histories in which everything that is rare in life happens often. */
import * as fc from "fast-check";

import { placeholderKind, type NewDerivation } from "../event/document.ts";
import type { EventOptions, ExpectedVersion, NewEvent } from "../event/event.ts";
import { storeEventId, type EventId, type RecordId, type Version } from "../ids.ts";
import type { Oracle } from "./oracle.ts";
import type { OracleReader } from "./oracle-reader.ts";

/** So few records that cycles, diamonds and self-derivations cannot be avoided. */
const recordIds: readonly RecordId[] = ["a", "b", "c", "d"];

const weights = {
  create: 6,
  patch: 4,
  derive: 8,
  replace: 2,
  clear: 1,
  restore: 3,
  invalidate: 5,
  resend: 2,
  reuse: 1,
} as const;
type Action = keyof typeof weights;

/** An event before it is fitted to what stands in the store: numbers are choices, taken modulo what there is. */
export interface EventDraft {
  readonly action: Action;
  readonly record: number;
  readonly sources: readonly {
    readonly record: number;
    readonly pin: number;
    readonly role: number;
  }[];
  readonly content: number;
  readonly pick: number;
  readonly span: number;
  readonly hasId: boolean;
  readonly expectation: number;
  readonly cascade: boolean;
  readonly allowInvalidSources: boolean;
  readonly asksPlaceholders: boolean;
}

/** One step of a history: a batch, or closing and opening the store again. */
export type HistoryStep =
  | { readonly type: "batch"; readonly drafts: readonly EventDraft[] }
  | { readonly type: "reopen" };

// Without fast-check's bias towards the ends: here 0 is a rare case, not a likely one.
const upTo = (max: number): fc.Arbitrary<number> => fc.noBias(fc.nat({ max }));
const choice = upTo(63);
const often = (percent: number): fc.Arbitrary<boolean> => upTo(99).map((value) => value < percent);
const action: fc.Arbitrary<Action> = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({
    arbitrary: fc.constant(name as Action),
    weight,
  })),
);

const draft: fc.Arbitrary<EventDraft> = fc.record({
  action,
  record: upTo(recordIds.length - 1),
  sources: fc.array(fc.record({ record: upTo(recordIds.length - 1), pin: choice, role: upTo(2) }), {
    minLength: 1,
    maxLength: 3,
  }),
  content: upTo(2),
  pick: choice,
  span: choice,
  hasId: often(50),
  expectation: choice,
  cascade: often(80),
  allowInvalidSources: often(15),
  asksPlaceholders: often(60),
});

/** Histories of 2 to `batchesMax` steps: batches of 1 to 4 events, with the store opened again in between. */
export function histories(batchesMax = 12): fc.Arbitrary<HistoryStep[]> {
  const batch = fc.record({
    type: fc.constant("batch" as const),
    drafts: fc.array(draft, { minLength: 1, maxLength: 4 }),
  });
  const reopen = fc.constant({ type: "reopen" as const });
  return fc.array(fc.oneof({ arbitrary: batch, weight: 6 }, { arbitrary: reopen, weight: 1 }), {
    minLength: 2,
    maxLength: batchesMax,
    size: "max",
  });
}

/** Fits drafts to the store as the oracle knows it, and remembers what was sent so that it can be sent again. */
export class EventPlanner {
  readonly #sent: NewEvent[] = [];
  #count = 0;

  /** The events of a batch. Each event's words are its own, so two events are the same only when one is sent again. */
  plan(drafts: readonly EventDraft[], oracle: Oracle): NewEvent[] {
    const ahead = oracle.fork();
    return drafts.map((item) => {
      const event = this.#event(item, ahead.at(ahead.head));
      ahead.append([event]);
      if (event.id !== undefined) this.#sent.push(event);
      return event;
    });
  }

  #event(item: EventDraft, reader: OracleReader): NewEvent {
    const earlier = this.#sent[item.pick % Math.max(1, this.#sent.length)];
    if (item.action === "resend" && earlier !== undefined) return earlier;
    this.#count += 1;
    const event = this.#fresh(item, reader);
    return item.action === "reuse" && earlier?.id !== undefined
      ? { ...event, id: earlier.id }
      : event;
  }

  #fresh(item: EventDraft, reader: OracleReader): NewEvent {
    const recordId = recordIds[item.record] ?? "a";
    const current = reader.currentVersion(recordId);
    const envelope = { recordId, ...this.#options(item, current) };
    const word = `${item.action}-${this.#count}`;
    const isOpen =
      current === 0 || reader.document({ recordId, version: current }).kind === placeholderKind;
    // A creation of what exists is refused; a few of those are enough.
    if (item.action === "create" && (isOpen || item.pick === 0)) {
      const sources = item.span % 2 === 0 ? [] : fitSources(item, reader);
      return { ...envelope, type: "record.created", data: document(item, word, sources) };
    }
    if (current === 0 && item.pick !== 0) {
      return {
        ...envelope,
        type: "record.created",
        data: document(item, word, fitSources(item, reader)),
      };
    }
    if (item.action === "invalidate") {
      const versions = fitRange(item, current);
      return {
        ...envelope,
        type: "record.invalidated",
        data: { cause: word, ...(versions !== undefined && { versions }) },
      };
    }
    return {
      ...envelope,
      type: "record.updated",
      data: { ...update(item, recordId, reader), reason: word },
    };
  }

  #options(item: EventDraft, current: Version): EventOptions & { readonly id?: EventId } {
    const expectations: readonly ExpectedVersion[] = [
      current,
      current === 0 ? "none" : "exists",
      current + 1,
      current === 0 ? "exists" : "none",
    ];
    const expectedVersion = expectations[item.expectation];
    return {
      ...(item.hasId && { id: this.#id(item) }),
      ...(expectedVersion !== undefined && { expectedVersion }),
      ...(!item.cascade && { cascade: false }),
      ...(item.allowInvalidSources && { allowInvalidSources: true }),
      ...(item.asksPlaceholders && { unknownSources: "placeholder" as const }),
    };
  }

  /** Half of the ids look as if the store had made them for some early position. */
  #id(item: EventDraft): EventId {
    if (item.pick % 2 === 0)
      return storeEventId(1_700_000_000_000, 1 + (item.span % 20), this.#count);
    return `00000000-0000-4000-8000-${String(this.#count).padStart(12, "0")}`;
  }
}

function document(
  { content, record, expectation }: EventDraft,
  name: string,
  derivedFrom: readonly NewDerivation[],
): Extract<NewEvent, { type: "record.created" }>["data"] {
  const kind = expectation % 16 === 15 ? placeholderKind : `kind-${record}`;
  return {
    kind,
    name,
    attributes: { content },
    tags: { name },
    ...(derivedFrom.length > 0 && { derivedFrom }),
  };
}

function update(
  item: EventDraft,
  recordId: RecordId,
  reader: OracleReader,
): Extract<NewEvent, { type: "record.updated" }>["data"] {
  const current = reader.currentVersion(recordId);
  switch (item.action) {
    case "restore": {
      if (current === 0) return { patch: {}, restores: 1 };
      const version = 1 + (item.pick % current);
      return {
        document: reader.document({ recordId, version }),
        restores: item.span === 0 ? current + 1 : version,
      };
    }
    case "replace": {
      const kind = current === 0 ? "kind" : reader.document({ recordId, version: current }).kind;
      return { document: { ...document(item, "replaced", fitSources(item, reader)), kind } };
    }
    case "derive":
    case "reuse":
      return { patch: { derivedFrom: fitSources(item, reader) } };
    case "clear":
      return { patch: { derivedFrom: null, tags: null } };
    default:
      return { patch: { attributes: { content: item.content } } };
  }
}

/** Sources, each with a version left out, an existing one (old ones often), or now and then one that is not there. */
function fitSources(
  { sources, asksPlaceholders, record: self }: EventDraft,
  reader: OracleReader,
): NewDerivation[] {
  const fitted = new Map<string, NewDerivation>();
  for (const { record, pin, role } of sources) {
    const recordId = recordIds[record] ?? "a";
    const current = reader.currentVersion(recordId);
    const isThere = current > 0 || (asksPlaceholders && record !== self);
    if (!isThere && pin !== 0) continue;
    const version = pin === 0 ? current + 1 : 1 + (pin % Math.max(1, current));
    const source: NewDerivation = {
      recordId,
      ...(pin % 2 === 0 && { version }),
      ...(role > 0 && { role: `role-${role}` }),
      ...(role === 2 && { relation: "used" as const }),
    };
    // The same source, role and relation twice is malformed rather than a case of its own.
    fitted.set(`${recordId} ${source.version ?? ""} ${role}`, source);
  }
  return [...fitted.values()];
}

function fitRange(
  { pick, span }: EventDraft,
  current: Version,
): { readonly from: Version; readonly to?: Version } | undefined {
  if (pick % 3 === 0) return undefined;
  const from = pick === 1 ? current + 1 : 1 + (pick % Math.max(1, current));
  if (span % 3 === 0) return { from };
  return { from, to: Math.max(from, Math.min(current, from + (span % 3) - 1)) };
}
