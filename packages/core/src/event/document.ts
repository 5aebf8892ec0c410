/** The document of a record version: what it is, what it holds, what it was derived from. */
import { createHash } from "node:crypto";

import type { RecordId, Version } from "../ids.ts";
import { canonicalJson, type JsonValue } from "./json.ts";

export type TagValue = string | number | boolean;

/** A file or object that belongs to a record, with what is needed to find and check it. */
export interface Artifact {
  readonly name: string;
  readonly uri?: string | undefined;
  readonly mediaType?: string | undefined;
  readonly sizeBytes?: number | undefined;
  /** SHA-256 of the bytes, 64 hexadecimal digits in lower case. */
  readonly sha256?: string | undefined;
}

/** The relations of PROV-DM between a thing and what it rests on. */
export const relations = [
  "wasDerivedFrom",
  "wasRevisionOf",
  "wasQuotedFrom",
  "hadPrimarySource",
  "used",
  "wasGeneratedBy",
  "wasInformedBy",
  "wasStartedBy",
  "wasEndedBy",
  "wasAttributedTo",
  "wasAssociatedWith",
  "actedOnBehalfOf",
  "wasInfluencedBy",
  "specializationOf",
  "alternateOf",
  "hadMember",
] as const;

/** A PROV-DM relation. @see PROV-DM section 5 */
export type Relation = (typeof relations)[number];

/** The relation of a derivation that names none. */
export const defaultRelation: Relation = "wasDerivedFrom";

/** A source as a client names it; the store fills in the version it leaves out. */
export interface NewDerivation {
  readonly recordId: RecordId;
  readonly version?: Version | undefined;
  readonly role?: string | null | undefined;
  readonly relation?: Relation | undefined;
}

/** An edge to the pinned version of a source. */
export interface Derivation {
  readonly recordId: RecordId;
  readonly version: Version;
  readonly role: string | null;
  readonly relation: Relation;
}

/** A record's content, complete: every member is there. */
export interface RecordDocument {
  readonly kind: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, TagValue>>;
  readonly uris: readonly string[];
  readonly attributes: JsonValue;
  readonly artifacts: readonly Artifact[];
  readonly derivedFrom: readonly Derivation[];
  /** Record ids of the actions to take when a version of this record is withdrawn. */
  readonly onInvalidate: readonly RecordId[];
}

/** A document as a client sends it: kind and name, and any of the rest. */
export interface NewDocument {
  readonly kind: string;
  readonly name: string;
  readonly tags?: Readonly<Record<string, TagValue>> | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly attributes?: JsonValue | undefined;
  readonly artifacts?: readonly Artifact[] | undefined;
  readonly derivedFrom?: readonly NewDerivation[] | undefined;
  readonly onInvalidate?: readonly RecordId[] | undefined;
}

/** The members of a document, in the order they are shown. */
export const documentMembers = [
  "kind",
  "name",
  "tags",
  "uris",
  "attributes",
  "artifacts",
  "derivedFrom",
  "onInvalidate",
] as const satisfies readonly (keyof RecordDocument)[];

/** The kind of a placeholder: a record that is known only because something was derived from it. */
export const placeholderKind = "unknown";

/** A derivation list with every version pinned. */
export type PinnedDocument = Omit<NewDocument, "derivedFrom"> & {
  readonly derivedFrom?: readonly Derivation[] | undefined;
};

/** Gives every member a value; absent lists and maps become empty ones. */
export function completeDocument(document: PinnedDocument): RecordDocument {
  return {
    kind: document.kind,
    name: document.name,
    tags: document.tags ?? {},
    uris: document.uris ?? [],
    attributes: document.attributes === undefined ? {} : document.attributes,
    artifacts: document.artifacts ?? [],
    derivedFrom: document.derivedFrom ?? [],
    onInvalidate: document.onInvalidate ?? [],
  };
}

/** Bytes of a content digest. */
export const contentDigestBytes = 16;

/**
 * Digest of what makes dependants stale when it changes: uris, artifacts, attributes and derivedFrom.
 * Names and tags are annotations and do not count. Equal content gives equal digests, whatever the order of members.
 */
export function contentDigest(document: RecordDocument): Buffer {
  const { uris, artifacts, attributes, derivedFrom } = document;
  return createHash("sha256")
    .update(canonicalJson([uris, artifacts, attributes, derivedFrom]))
    .digest()
    .subarray(0, contentDigestBytes);
}
