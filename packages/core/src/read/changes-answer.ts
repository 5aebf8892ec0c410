/** Answers `changes` and `changesSince`: what became different in the whole store between two instants. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";
import { must } from "../assert.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { mustHaveVersions, type RecordVersions } from "../records/versions.ts";
import { fieldChanges } from "./field-changes.ts";
import type { ChangesOptions, StoreChange } from "./reader.ts";
import type { ReadScope } from "./scope.ts";
import { whenReadable } from "./when-readable.ts";

/** Records compared between two turns of the event loop. */
const recordsPerTurn = 128;

/**
 * Each record once, at its first event after `from`; nothing is kept of those that were told.
 *
 * @throws `argument-invalid` for positions and limits that cannot be, `aborted`
 */
export async function* readChanges(
  scope: ReadScope,
  from: Position,
  { after = from, limit = Infinity, signal }: ChangesOptions,
): AsyncGenerator<StoreChange> {
  const { log, state, asOf } = scope;
  assertPosition("from", from, 0, asOf);
  assertPosition("after", after, from, asOf);
  assertLimit(limit);
  throwIfAborted(signal);
  let told = 0;
  const changeAt = (header: EntryHeader) => {
    const versions = mustHaveVersions(state, header.recordId);
    return isFirstAfter(versions, header, from)
      ? changeOf(scope, versions, header.position, from)
      : undefined;
  };
  for await (const entries of log.readEntries({ from: after + 1, until: asOf, signal })) {
    for (const { header } of entries) {
      const change = await whenReadable(log, () => changeAt(header));
      if (change === undefined) continue;
      yield change;
      told += 1;
      if (told === limit) return;
      if (told % recordsPerTurn === 0) await setImmediate();
      throwIfAborted(signal);
    }
  }
}

/** True for the first event of its record after a position. */
function isFirstAfter(versions: RecordVersions, { version }: EntryHeader, from: Position): boolean {
  if (version === 1) return true;
  const before = must(versions.version(version - 1), "versions have no gaps");
  return before.position <= from;
}

function assertPosition(what: string, value: Position, min: Position, max: Position): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new StoreError("argument-invalid", `${what} must be a position from ${min} to ${max}.`, {
    details: { [what]: value },
  });
}

/** @throws `argument-invalid` for what is no number of things to tell */
export function assertLimit(limit: number): void {
  if (limit === Infinity || (Number.isInteger(limit) && limit >= 1)) return;
  throw new StoreError("argument-invalid", "limit must be a whole number from 1.", {
    details: { limit },
  });
}

function changeOf(
  { asOf }: ReadScope,
  versions: RecordVersions,
  position: Position,
  from: Position,
): StoreChange {
  const { recordId } = versions;
  const after = must(versions.asOf(asOf), "a record with an event has a version");
  const before = versions.asOf(from);
  const document = versions.document(after);
  const { kind, name } = document;
  const isErased = after.erased || before?.erased === true;
  const mark = isErased && { isErased: true as const };
  const row = { recordId, kind, name, position, toVersion: after.version, ...mark };
  const isValid = versions.withdrawalOf(after.contentVersion, asOf) === undefined;
  if (before === undefined) {
    const changes: StoreChange["changes"] = isValid ? ["created"] : ["created", "withdrawn"];
    return { ...row, changes, fromVersion: null, fields: [] };
  }
  const fields = isErased ? [] : fieldChanges(versions.document(before), document);
  const wasValid = versions.withdrawalOf(before.contentVersion, from) === undefined;
  const changes: StoreChange["changes"][number][] = [];
  const isOther = isErased && before.contentVersion !== after.contentVersion;
  if (fields.length > 0 || isOther) changes.push("updated");
  if (wasValid && !isValid) changes.push("withdrawn");
  if (!wasValid && isValid) changes.push("restored");
  if (changes.length === 0) changes.push("touched");
  return { ...row, changes, fromVersion: before.version, fields };
}
