/** Stores the one event of a command, and answers with what it made and the record as it is then. */
import type { AppendedEvent, ExpectedVersion, NewEvent, RecordView } from "@sennit/core";

import { assertMayAppend } from "../caller.ts";
import type { Exchange, ValueAnswer } from "../route.ts";
import type { Place } from "./append-body.ts";
import { idempotencyKeyOf } from "./idempotency-key.ts";
import { asPrecondition, expectationOf, readIfMatch } from "./if-match.ts";
import { relocate } from "./relocate.ts";

/** Members of a command's body that are the event's envelope. */
export interface CommandEnvelope {
  readonly occurredAt?: string | undefined;
  readonly actor?: string | undefined;
  readonly causationId?: string | undefined;
  readonly correlationId?: string | undefined;
}

export function envelopeOf({
  occurredAt,
  actor,
  causationId,
  correlationId,
}: CommandEnvelope): CommandEnvelope {
  return { occurredAt, actor, causationId, correlationId };
}

export interface CommandAnswer extends ValueAnswer {
  readonly value: AppendedEvent & { readonly record: RecordView };
}

/**
 * @param place where in the body something is that stands at a pointer into the event
 * @throws the codes of `append`; `precondition-failed` when the record is not at the version that `If-Match` names
 */
export async function runCommand(
  { store, caller, request }: Exchange,
  event: NewEvent,
  place: Place,
): Promise<CommandAnswer> {
  const idempotencyKey = idempotencyKeyOf(request.headers);
  const demand = readIfMatch(request.headers["if-match"]);
  const events = [event];
  try {
    const current = async () => (await store.findRecord(event.recordId))?.version;
    const expectation = await expectationOf(demand, current);
    const sent: NewEvent = expectation === undefined ? event : withExpectation(event, expectation);
    const allowed = await assertMayAppend(caller, [sent], store);
    const {
      events: [appended],
      head,
    } = await store.append(allowed, { idempotencyKey });
    if (appended === undefined) throw new TypeError("one event given, one answer");
    const record = await store.record(appended.recordId);
    const isReplayed = idempotencyKey !== undefined && appended.status === "duplicate";
    return {
      value: { ...appended, record },
      position: Math.max(head, record.position),
      headers: {
        etag: `"${record.version}"`,
        ...(isReplayed && { "idempotency-replayed": "true" }),
      },
    };
  } catch (error) {
    throw relocate(asPrecondition(error, demand), { events, place });
  }
}

function withExpectation(event: NewEvent, expectedVersion: ExpectedVersion): NewEvent {
  return { ...event, expectedVersion };
}
