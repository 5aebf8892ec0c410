/** Turns what a client sent into what is stored: nothing undefined, sources apart, documents whole. */
import { must } from "../assert.ts";
import type { EntryPayload } from "../codec/entry.ts";
import {
  completeDocument,
  type Derivation,
  type NewDocument,
  type PinnedDocument,
  type RecordDocument,
} from "../event/document.ts";
import type { NewUpdate } from "../event/event.ts";
import { mergePatch } from "../event/json.ts";
import { validateDocument } from "../event/validate.ts";
import type { EnvelopePayload } from "./batch-builder.ts";

/** Drops members that are undefined: they are not there, and MessagePack could not say so. */
export function compact(
  value: Readonly<Record<string, unknown>>,
): EnvelopePayload & EntryPayload["data"] {
  const result: Record<string, unknown> = {};
  for (const key in value) if (value[key] !== undefined) result[key] = value[key];
  return result;
}

/** The members of a document or patch as they can be stored, in one pass: this is done for every event. */
export function storable<
  T extends { readonly artifacts?: NewDocument["artifacts"] | null },
  K extends keyof T & string = never,
>(members: T, leftOut: readonly K[] = []): Omit<T, K> {
  const plain: Record<string, unknown> = {};
  for (const key in members) {
    const value = members[key];
    if (value === undefined || (leftOut as readonly string[]).includes(key)) continue;
    plain[key] = value;
  }
  const artifacts = members.artifacts?.map((artifact) => compact({ ...artifact }));
  if (artifacts !== undefined) plain["artifacts"] = artifacts;
  return plain as Omit<T, K>;
}

/** The patch or document without its sources, which stand in the header. */
export function splitUpdate({ patch, document }: NewUpdate): Readonly<Record<string, unknown>> {
  if (patch !== undefined) return { patch: storable(patch, ["derivedFrom"]) };
  const whole = must(document, "an update holds a patch or a document");
  return { document: storable(whole, ["derivedFrom"]) };
}

/** The whole document an update makes. @throws `event-invalid` when a patch leaves no valid one */
export function completeUpdate(
  before: RecordDocument,
  { patch, document }: NewUpdate,
  edges: readonly Derivation[] | null,
  place: string,
): RecordDocument {
  if (patch === undefined) {
    const whole = must(document, "an update holds a patch or a document");
    return completeDocument({ ...storable(whole), derivedFrom: edges ?? [] });
  }
  const change = { ...storable(patch), ...(edges !== null && { derivedFrom: edges }) };
  const merged = mergePatch(before, change);
  validateDocument(merged, place);
  return completeDocument(merged as PinnedDocument);
}
