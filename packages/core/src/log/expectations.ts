/** What an event expects of its record, checked against the versions it meets. */
import { must } from "../assert.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import { contentDigest, placeholderKind, type RecordDocument } from "../event/document.ts";
import type { NewEvent } from "../event/event.ts";
import type { RecordVersions } from "../records/versions.ts";

/** @throws `version-conflict` */
export function checkExpectedVersion(event: NewEvent, current: VersionEntry | undefined): void {
  const expected = event.expectedVersion ?? "any";
  if (expected === "any") return;
  const actual = current?.version ?? 0;
  const fits =
    expected === "none" ? actual === 0 : expected === "exists" ? actual > 0 : actual === expected;
  if (fits) return;
  const found = actual === 0 ? "does not exist" : `is at version ${actual}`;
  throw new StoreError(
    "version-conflict",
    `Record ${JSON.stringify(event.recordId)} ${found}, and ${expected} was expected.`,
    {
      details: { recordId: event.recordId, expected, actual, pointer: "/expectedVersion" },
    },
  );
}

/** @throws `record-not-found` */
export function mustExist(event: NewEvent, versions: RecordVersions | undefined): RecordVersions {
  if (versions !== undefined) return versions;
  throw new StoreError(
    "record-not-found",
    `There is no record ${JSON.stringify(event.recordId)}.`,
    {
      details: { recordId: event.recordId, pointer: "/recordId" },
      hint: "Create it first with record.created.",
    },
  );
}

/** Only a placeholder can be created again. @throws `record-already-exists` */
export function checkIsPlaceholder(versions: RecordVersions): void {
  const { current, recordId } = versions;
  if (versions.document(current).kind === placeholderKind) return;
  throw new StoreError(
    "record-already-exists",
    `Record ${JSON.stringify(recordId)} exists already, at version ${current.version}.`,
    { details: { recordId, version: current.version, pointer: "/recordId" } },
  );
}

/** @throws `version-not-found` for a version the record has not had yet */
export function checkVersion(
  { recordId, current }: RecordVersions,
  version: number,
  verb: string,
  pointer: string,
): void {
  if (version <= current.version) return;
  throw new StoreError(
    "version-not-found",
    `Record ${JSON.stringify(recordId)} has no version ${version} to ${verb}; the last is ${current.version}.`,
    { details: { recordId, version, current: current.version, pointer } },
  );
}

/** What has been erased can be neither patched nor restored. @throws `content-erased` */
export function checkNotErased(
  { recordId }: RecordVersions,
  { version, erased }: VersionEntry,
  pointer: string,
): void {
  if (!erased) return;
  throw new StoreError(
    "content-erased",
    `The content of version ${version} of record ${JSON.stringify(recordId)} has been erased.`,
    { details: { recordId, version, pointer } },
  );
}

/** A version that says it restores another holds that one's content; its name and tags may be new ones. @throws `event-invalid`, `content-erased` */
export function checkRestores(
  versions: RecordVersions,
  restores: number,
  after: RecordDocument,
): void {
  const row = must(versions.version(restores), "the version to restore exists");
  checkNotErased(versions, row, "/data/restores");
  const old = versions.document(row);
  if (contentDigest(old).equals(contentDigest(after))) return;
  const pointer = "/data/restores";
  const message = `does not hold the content of version ${restores}`;
  throw new StoreError("event-invalid", `${pointer} ${message}.`, {
    hint: "Send the old version's uris, artifacts, attributes and derivedFrom as they were.",
    details: { issues: [{ pointer, message }], issueCount: 1 },
  });
}
