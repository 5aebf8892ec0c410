/** Who sends a request, and what that one may do. */
import { isPlainObject, isStoreError, StoreError, type NewEvent, type Reader } from "@sennit/core";

import type { WriteLimits } from "./keys/key-file.ts";
import { scopes, type Scope } from "./scopes.ts";

export interface Caller {
  /** Which credential, for logs and rate limits. It is no secret. */
  readonly id: string;
  /** Stored as the actor of what it writes; null for a caller that may name any actor, or none. */
  readonly actor: string | null;
  readonly scopes: ReadonlySet<Scope>;
  /** What it may write. */
  readonly limits: WriteLimits;
  /** Fires when the credential counts no more; undefined for one that stays. */
  readonly ended: AbortSignal | undefined;
}

/** Everybody on this machine where no credentials are asked for, and whoever may read the store's discovery file. */
export const localCaller: Caller = {
  id: "local",
  actor: null,
  scopes: new Set(scopes),
  limits: {},
  ended: undefined,
};

/**
 * The events of a batch as the caller may send them: each with the caller's actor. All events that a caller sends go through
 * here before they are appended, whatever the route; what is no event is left to the store to refuse.
 *
 * Of a caller that is limited to kinds, the batches before must be stored by then: the kind of a record that is
 * updated or withdrawn is looked up.
 *
 * @param store tells the kinds of records that are there
 * @returns a promise only where something of them is to be looked at
 * @throws `forbidden` with `index` and a pointer into the event
 */
export function assertMayAppend(
  caller: Caller,
  events: readonly unknown[],
  store: Pick<Reader, "findRecord">,
): readonly NewEvent[] | Promise<readonly NewEvent[]> {
  const { actor, limits, scopes: allowed } = caller;
  const isFree = limits.kinds === undefined && limits.recordIdPrefixes === undefined;
  if (actor === null && isFree && allowed.has("invalidate")) return events as readonly NewEvent[];
  return assertEachAllowed(caller, !isFree, events, store);
}

async function assertEachAllowed(
  caller: Caller,
  isLimited: boolean,
  events: readonly unknown[],
  store: Pick<Reader, "findRecord">,
): Promise<readonly NewEvent[]> {
  const { actor, limits } = caller;
  const mayInvalidate = caller.scopes.has("invalidate");
  const kinds = new Map<string, unknown>();
  const allowed: unknown[] = [];
  for (const [index, event] of events.entries()) {
    if (!isPlainObject(event)) {
      allowed.push(event);
      continue;
    }
    if (event["type"] === "record.invalidated" && !mayInvalidate) {
      throw refused("/type", "This needs a credential with the scope invalidate.", {
        scope: "invalidate",
        index,
      });
    }
    if (isLimited) await assertWithin(limits, event, index, kinds, store);
    allowed.push(actor === null ? event : withActor(event, actor, index));
  }
  return allowed as readonly NewEvent[];
}

/** The actor to store for what a caller does without an event of its own. @throws `forbidden` for another than the credential's */
export function actorOf({ actor }: Caller, given?: string): string | undefined {
  if (actor === null || given === undefined || given === actor) return actor ?? given;
  throw refused("/actor", foreignActor, { credentialActor: actor });
}

const foreignActor = "The actor is that of the credential; leave it out.";

type SentEvent = Readonly<Record<string, unknown>>;

function withActor(event: SentEvent, actor: string, index: number): SentEvent {
  const given = event["actor"];
  if (given === undefined || given === actor) return { ...event, actor };
  throw refused("/actor", foreignActor, { credentialActor: actor, index });
}

/** @param kinds of the records that the batch has made so far */
async function assertWithin(
  { kinds: kindsAllowed, recordIdPrefixes }: WriteLimits,
  event: SentEvent,
  index: number,
  kinds: Map<string, unknown>,
  store: Pick<Reader, "findRecord">,
): Promise<void> {
  const { type, recordId, data } = event;
  if (typeof recordId !== "string") return;
  if (recordIdPrefixes?.some((prefix) => recordId.startsWith(prefix)) === false) {
    throw refused("/recordId", "The credential may not write records with such ids.", {
      recordIdPrefixes,
      index,
    });
  }
  if (event["unknownSources"] === "placeholder") {
    throw refused("/unknownSources", "The credential may not make placeholders.", {
      index,
    });
  }
  if (kindsAllowed === undefined) return;
  if (type === "record.created")
    kinds.set(recordId, isPlainObject(data) ? data["kind"] : undefined);
  const kind = kinds.has(recordId)
    ? kinds.get(recordId)
    : (await store.findRecord(recordId).catch(ifNoRef))?.kind;
  if (kindsAllowed.some((one) => one === kind)) return;
  // The same for a record of another kind and for none, so that it does not tell which are there.
  throw refused("/recordId", "The credential may not write records of such a kind.", {
    kinds: kindsAllowed,
    index,
  });
}

/** What is no record id is for the store to refuse. */
function ifNoRef(error: unknown): undefined {
  if (!isStoreError(error) || error.code !== "ref-invalid") throw error;
}

function refused(
  pointer: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
): StoreError {
  return new StoreError("forbidden", message, {
    details: { ...details, issues: [{ pointer, message }] },
  });
}
