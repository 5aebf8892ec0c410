/** Turns an untrusted value into a `NewEvent`, or says everything that is wrong with it and where. */
import { StoreError } from "../errors.ts";
import { isEventId, recordIdProblem } from "../ids.ts";
import { limits } from "../limits.ts";
import { parseTimestamp } from "../timestamp.ts";
import { Checker, describe, nearest, pointerSegment } from "./checker.ts";
import { defaultRelation, documentMembers, relations, type NewDocument } from "./document.ts";
import { erasureKind } from "./erasure.ts";
import { eventTypes, type EventType, type NewEvent } from "./event.ts";

const envelopeMembers = new Set([
  "type",
  "id",
  "recordId",
  "occurredAt",
  "actor",
  "causationId",
  "correlationId",
  "data",
  "expectedVersion",
  "cascade",
  "allowInvalidSources",
  "unknownSources",
]);
const eventIdMembers = ["id", "causationId", "correlationId"];
const booleanMembers = ["cascade", "allowInvalidSources"];
const storeMembers = new Set(["position", "version", "recordedAt", "hash", "erasedBy"]);
const documentNames: ReadonlySet<string> = new Set(documentMembers);
const updateMembers = new Set(["patch", "document", "reason", "restores"]);
const invalidationMembers = new Set(["cause", "versions"]);
const versionsMembers = new Set(["from", "to"]);
const artifactMembers = new Set(["name", "uri", "mediaType", "sizeBytes", "sha256"]);
const derivationMembers = new Set(["recordId", "version", "role", "relation"]);
const relationNames: ReadonlySet<string> = new Set(relations);
const typeNames: ReadonlySet<string> = new Set(eventTypes);
const expectations = new Set(["none", "exists", "any"]);
const sha256Pattern = /^[0-9a-f]{64}$/;

/**
 * Checks one event completely and returns it, typed.
 *
 * @param index the event's place in its batch; it leads every pointer when given (`/3/data/name`).
 * @throws `event-invalid` with `details.issues` (pointer and message each)
 */
export function validateEvent(value: unknown, index?: number): NewEvent {
  const check = new Checker();
  checkEvent(value, check, index === undefined ? "" : `/${index}`);
  if (check.count > 0) throw invalidEvent(check);
  return value as NewEvent;
}

/**
 * Checks a complete document, such as the result of a patch.
 *
 * @throws `event-invalid`
 */
export function validateDocument(value: unknown, pointer: string): asserts value is NewDocument {
  const check = new Checker();
  checkDocument(value, check, pointer);
  if (check.count > 0) throw invalidEvent(check);
}

function invalidEvent(check: Checker): StoreError {
  const [first] = check.issues;
  const more = check.count > 1 ? ` (and ${check.count - 1} more)` : "";
  const place = first?.pointer === "" ? "The event" : first?.pointer;
  return new StoreError("event-invalid", `${place} ${first?.message}${more}.`, {
    details: { issues: check.issues, issueCount: check.count },
  });
}

function checkEvent(value: unknown, check: Checker, at: string): void {
  if (!check.object(value, at)) return;
  for (const key in value) {
    if (envelopeMembers.has(key)) continue;
    if (storeMembers.has(key)) check.fail(`${at}/${key}`, "is set by the store");
    else check.members({ [key]: value[key] }, envelopeMembers, at);
  }
  const idProblem = recordIdProblem(value["recordId"]);
  if (idProblem !== undefined) check.fail(`${at}/recordId`, idProblem);
  checkEnvelope(value, check, at);
  checkOptions(value, check, at);
  const type = value["type"];
  if (typeof type !== "string" || !typeNames.has(type)) {
    const near = typeof type === "string" ? nearest(type, typeNames) : undefined;
    const suggestion = near === undefined ? "" : ` (did you mean "${near}"?)`;
    check.fail(`${at}/type`, `must be one of ${eventTypes.join(", ")}${suggestion}`);
    return;
  }
  checkData(type as EventType, value["data"], check, `${at}/data`);
}

function checkEnvelope(value: Readonly<Record<string, unknown>>, check: Checker, at: string): void {
  for (const key of eventIdMembers) {
    if (value[key] !== undefined && !isEventId(value[key])) {
      check.fail(
        `${at}/${key}`,
        "must be a UUID in lower case, such as 0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77",
      );
    }
  }
  if (value["actor"] !== undefined) check.text(value["actor"], at, "actor", limits.actorBytesMax);
  const occurredAt = value["occurredAt"];
  if (
    occurredAt !== undefined &&
    (typeof occurredAt !== "string" || parseTimestamp(occurredAt) === undefined)
  ) {
    check.fail(
      `${at}/occurredAt`,
      "must be an RFC 3339 time with a zone, such as 2026-03-02T09:58:00Z",
    );
  }
}

function checkOptions(value: Readonly<Record<string, unknown>>, check: Checker, at: string): void {
  const expected = value["expectedVersion"];
  if (typeof expected === "number") {
    check.integer(expected, `${at}/expectedVersion`, 0, limits.versionMax);
  } else if (
    expected !== undefined &&
    !(typeof expected === "string" && expectations.has(expected))
  ) {
    check.fail(`${at}/expectedVersion`, 'must be a version, "none", "exists" or "any"');
  }
  for (const key of booleanMembers) {
    if (value[key] !== undefined) check.boolean(value[key], `${at}/${key}`);
  }
  const unknownSources = value["unknownSources"];
  if (
    unknownSources !== undefined &&
    unknownSources !== "refuse" &&
    unknownSources !== "placeholder"
  ) {
    check.fail(`${at}/unknownSources`, 'must be "refuse" or "placeholder"');
  }
}

function checkData(type: EventType, data: unknown, check: Checker, at: string): void {
  switch (type) {
    case "record.created":
      checkDocument(data, check, at);
      return;
    case "record.updated":
      if (check.object(data, at)) checkUpdate(data, check, at);
      return;
    case "record.invalidated":
      if (check.object(data, at)) checkInvalidation(data, check, at);
  }
}

function checkDocument(value: unknown, check: Checker, at: string): void {
  if (!check.object(value, at)) return;
  check.members(value, documentNames, at);
  check.text(value["kind"], at, "kind", limits.kindBytesMax);
  if (value["kind"] === erasureKind) check.fail(`${at}/kind`, "is made by erasing alone");
  check.text(value["name"], at, "name", limits.nameBytesMax);
  if (value["tags"] !== undefined) checkTags(value["tags"], check, `${at}/tags`);
  if (value["uris"] !== undefined) checkUris(value["uris"], check, `${at}/uris`);
  if (value["attributes"] !== undefined) check.json(value["attributes"], `${at}/attributes`);
  if (value["artifacts"] !== undefined)
    checkArtifacts(value["artifacts"], check, `${at}/artifacts`);
  if (value["derivedFrom"] !== undefined)
    checkDerivations(value["derivedFrom"], check, `${at}/derivedFrom`);
  if (value["onInvalidate"] !== undefined)
    checkActions(value["onInvalidate"], check, `${at}/onInvalidate`);
}

const tagText = { empty: true, lines: true };

function checkTags(value: unknown, check: Checker, at: string): void {
  if (!check.object(value, at)) return;
  const keys = Object.keys(value);
  if (keys.length > limits.tagsMax) {
    check.fail(at, `must hold at most ${limits.tagsMax} tags`);
    return;
  }
  for (const key of keys) {
    const tag = value[key];
    if (key === "__proto__") check.fail(`${at}/${key}`, 'must not be named "__proto__"');
    else if (!check.text(key, at, key, limits.tagKeyBytesMax)) continue;
    else if (typeof tag === "string") check.text(tag, at, key, limits.tagValueBytesMax, tagText);
    else if (typeof tag !== "boolean" && !Number.isFinite(tag)) {
      const place = `${at}/${pointerSegment(key)}`;
      if (typeof tag === "number") check.json(tag, place);
      else check.fail(place, `must be text, a number or a boolean, not ${describe(tag)}`);
    }
  }
}

function checkUris(value: unknown, check: Checker, at: string): void {
  if (!check.array(value, at, limits.urisMax)) return;
  value.forEach((uri, index) => check.text(uri, at, index, limits.uriBytesMax));
}

function checkArtifacts(value: unknown, check: Checker, at: string): void {
  if (!check.array(value, at, limits.artifactsMax)) return;
  value.forEach((artifact, index) => {
    const place = `${at}/${index}`;
    if (!check.object(artifact, place)) return;
    check.members(artifact, artifactMembers, place);
    check.text(artifact["name"], place, "name", limits.nameBytesMax);
    if (artifact["uri"] !== undefined)
      check.text(artifact["uri"], place, "uri", limits.uriBytesMax);
    if (artifact["mediaType"] !== undefined)
      check.text(artifact["mediaType"], place, "mediaType", limits.nameBytesMax);
    if (artifact["sizeBytes"] !== undefined) {
      check.integer(artifact["sizeBytes"], `${place}/sizeBytes`, 0, Number.MAX_SAFE_INTEGER);
    }
    const sha256 = artifact["sha256"];
    if (sha256 !== undefined && !(typeof sha256 === "string" && sha256Pattern.test(sha256))) {
      check.fail(`${place}/sha256`, "must be 64 hexadecimal digits in lower case");
    }
  });
}

function checkDerivations(value: unknown, check: Checker, at: string): void {
  if (!check.array(value, at, limits.derivationsMax)) return;
  // Most events have one source or none.
  const seen = value.length > 1 ? new Set<string>() : undefined;
  value.forEach((derivation, index) => {
    const place = `${at}/${index}`;
    const problemsBefore = check.count;
    if (!check.object(derivation, place)) return;
    check.members(derivation, derivationMembers, place);
    const { recordId, version, role, relation } = derivation;
    const problem = recordIdProblem(recordId);
    if (problem !== undefined) check.fail(`${place}/recordId`, problem);
    if (version !== undefined) check.integer(version, `${place}/version`, 1, limits.versionMax);
    if (role !== undefined && role !== null) check.text(role, place, "role", limits.roleBytesMax);
    if (relation !== undefined && !(typeof relation === "string" && relationNames.has(relation))) {
      check.fail(`${place}/relation`, `must be one of ${relations.join(", ")}`);
    }
    // Only members that are what they should be can be compared.
    if (seen === undefined || check.count > problemsBefore) return;
    const key = JSON.stringify([recordId, version ?? 0, role ?? "", relation ?? defaultRelation]);
    if (seen.has(key)) check.fail(place, "names the same source, role and relation a second time");
    seen.add(key);
  });
}

function checkActions(value: unknown, check: Checker, at: string): void {
  if (!check.array(value, at, limits.actionsMax)) return;
  value.forEach((actionId, index) => {
    const problem = recordIdProblem(actionId);
    if (problem !== undefined) check.fail(`${at}/${index}`, problem);
  });
}

function checkUpdate(data: Readonly<Record<string, unknown>>, check: Checker, at: string): void {
  check.members(data, updateMembers, at);
  const { patch, document, reason, restores } = data;
  if ((patch === undefined) === (document === undefined)) {
    check.fail(at, "must hold exactly one of patch and document");
  } else if (document !== undefined) {
    checkDocument(document, check, `${at}/document`);
  } else if (check.object(patch, `${at}/patch`)) {
    check.members(patch, documentNames, `${at}/patch`);
    // What the patch makes of the record is checked once it has been applied; this bounds the patch itself.
    checkPatch(patch, check, `${at}/patch`);
  }
  if (reason !== undefined) check.text(reason, at, "reason", limits.causeBytesMax, { lines: true });
  if (restores !== undefined) check.integer(restores, `${at}/restores`, 1, limits.versionMax);
}

function checkPatch(patch: Readonly<Record<string, unknown>>, check: Checker, at: string): void {
  for (const [member, value] of Object.entries(patch)) {
    const place = `${at}/${pointerSegment(member)}`;
    if (value === undefined) continue;
    if (member === "derivedFrom" && value !== null) checkDerivations(value, check, place);
    else if (member === "artifacts" && value !== null) checkArtifacts(value, check, place);
    else check.json(value, place);
  }
}

function checkInvalidation(
  data: Readonly<Record<string, unknown>>,
  check: Checker,
  at: string,
): void {
  for (const key of ["root", "via"]) {
    if (data[key] !== undefined) check.fail(`${at}/${key}`, "is set by the store");
  }
  check.members(
    { ...data, root: undefined, via: undefined },
    new Set([...invalidationMembers, "root", "via"]),
    at,
  );
  check.text(data["cause"], at, "cause", limits.causeBytesMax, { lines: true });
  const versions = data["versions"];
  if (versions === undefined || !check.object(versions, `${at}/versions`)) return;
  check.members(versions, versionsMembers, `${at}/versions`);
  const { from, to } = versions;
  const fromFine = check.integer(from, `${at}/versions/from`, 1, limits.versionMax);
  if (to === undefined || !check.integer(to, `${at}/versions/to`, 1, limits.versionMax)) return;
  if (fromFine && to < from) check.fail(`${at}/versions/to`, "must not be below from");
}
