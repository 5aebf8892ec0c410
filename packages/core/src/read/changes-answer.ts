/** Answers `changesSince`: what became different in the whole store between two instants. */
import { must } from "../assert.ts";
import { StoreError } from "../errors.ts";
import type { Position, RecordId } from "../ids.ts";
import { mustHaveVersions } from "../records/versions.ts";
import { fieldChanges } from "./field-changes.ts";
import type { StoreChange, StoreDiff } from "./reader.ts";
import type { ReadScope } from "./scope.ts";

export async function answerChanges(scope: ReadScope, from: Position): Promise<StoreDiff> {
  const { log, asOf } = scope;
  if (!Number.isInteger(from) || from < 0 || from > asOf) {
    throw new StoreError("argument-invalid", `from must be a position from 0 to ${asOf}.`, {
      details: { from },
    });
  }
  const changed = new Set<RecordId>();
  for await (const entries of log.readEntries({ from: from + 1, until: asOf })) {
    for (const { header } of entries) changed.add(header.recordId);
  }
  return { from, to: asOf, records: [...changed].map((id) => changeOf(scope, id, from)) };
}

function changeOf({ state, asOf }: ReadScope, recordId: RecordId, from: Position): StoreChange {
  const versions = mustHaveVersions(state, recordId);
  const after = must(versions.asOf(asOf), "a record with an event has a version");
  const before = versions.asOf(from);
  const document = versions.document(after);
  const { kind, name } = document;
  const isErased = after.erased || before?.erased === true;
  const mark = isErased && { isErased: true as const };
  const row = { recordId, kind, name, toVersion: after.version, ...mark };
  if (before === undefined) return { ...row, changes: ["created"], fromVersion: null, fields: [] };
  const fields = isErased ? [] : fieldChanges(versions.document(before), document);
  const wasValid = versions.withdrawalOf(before.contentVersion, from) === undefined;
  const isValid = versions.withdrawalOf(after.contentVersion, asOf) === undefined;
  const changes: StoreChange["changes"][number][] = [];
  const isOther = isErased && before.contentVersion !== after.contentVersion;
  if (fields.length > 0 || isOther) changes.push("updated");
  if (wasValid && !isValid) changes.push("withdrawn");
  if (!wasValid && isValid) changes.push("restored");
  if (changes.length === 0) changes.push("touched");
  return { ...row, changes, fromVersion: before.version, fields };
}
