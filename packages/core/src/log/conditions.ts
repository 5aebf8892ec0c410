/** Checks the options of appends and reads, and the conditions a batch may be sent under. */
import { StoreError } from "../errors.ts";
import { Checker } from "../event/checker.ts";
import { isPlainObject } from "../event/json.ts";
import { recordIdProblem, type Position } from "../ids.ts";
import { limits } from "../limits.ts";
import type { State } from "../records/state.ts";
import { RecordVersions } from "../records/versions.ts";
import type { AppendOptions, ReadOptions, UnchangedSince } from "./event-log.ts";

const optionNames = new Set(["expectedHead", "idempotencyKey", "unchangedSince", "signal"]);

/** The options of most appends: nothing about them needs to be checked. */
export const noAppendOptions: AppendOptions = Object.freeze({});

/** @throws `argument-invalid` */
export function validateAppendOptions(options: AppendOptions): void {
  if (options === noAppendOptions) return;
  const check = new Checker();
  const given: unknown = options;
  if (!isPlainObject(given)) {
    throw new StoreError("argument-invalid", "Append options must be an object.");
  }
  check.members({ ...options }, optionNames, "");
  if (options.expectedHead !== undefined)
    check.integer(options.expectedHead, "/expectedHead", 0, limits.positionMax);
  if (options.idempotencyKey !== undefined) {
    check.text(options.idempotencyKey, "", "idempotencyKey", limits.idempotencyKeyBytesMax);
  }
  if (options.unchangedSince !== undefined) checkUnchanged(options.unchangedSince, check);
  const [first] = check.issues;
  if (first === undefined) return;
  throw new StoreError("argument-invalid", `Append option ${first.pointer} ${first.message}.`, {
    details: { issues: check.issues },
  });
}

/** @throws `argument-invalid` for a bound that is no whole number */
export function checkReadOptions({ from, until, limit }: ReadOptions): void {
  for (const [name, value] of Object.entries({ from, until, limit })) {
    if (value === undefined || value === Infinity || Number.isInteger(value)) continue;
    throw new StoreError("argument-invalid", `${name} must be a whole number.`, {
      details: { option: name, value: String(value) },
    });
  }
}

function checkUnchanged(condition: UnchangedSince, check: Checker): void {
  const at = "/unchangedSince";
  if (!check.object(condition, at)) return;
  check.integer(condition.position, `${at}/position`, 0, limits.positionMax);
  if (!check.array(condition.records, `${at}/records`, limits.conditionRecordsMax)) return;
  condition.records.forEach((record, index) => {
    if (!check.object(record, `${at}/records/${index}`)) return;
    const problem = recordIdProblem(record.recordId);
    if (problem !== undefined) check.fail(`${at}/records/${index}/recordId`, problem);
    if (record.version !== undefined)
      check.integer(record.version, `${at}/records/${index}/version`, 1, limits.versionMax);
  });
}

/** @throws `head-conflict`, `condition-failed` */
export function checkConditions(
  state: State,
  head: Position,
  { expectedHead, unchangedSince }: AppendOptions,
): void {
  if (expectedHead !== undefined && expectedHead !== head) {
    throw new StoreError(
      "head-conflict",
      `The head is at ${head}, and ${expectedHead} was expected.`,
      {
        details: { expected: expectedHead, actual: head },
      },
    );
  }
  if (unchangedSince === undefined) return;
  if (unchangedSince.position > head) {
    throw new StoreError(
      "argument-invalid",
      `unchangedSince names position ${unchangedSince.position}, ahead of the head, ${head}.`,
      { details: { position: unchangedSince.position, head } },
    );
  }
  for (const { recordId, version } of unchangedSince.records) {
    const position = changeSince(state, recordId, version, unchangedSince.position);
    if (position === undefined) continue;
    throw new StoreError(
      "condition-failed",
      `Record ${JSON.stringify(recordId)} has changed at position ${position}.`,
      {
        details: { recordId, version: version ?? null, since: unchangedSince.position, position },
      },
    );
  }
}

/** The first event after a position that updates the record or withdraws the version meant. */
function changeSince(
  state: State,
  recordId: string,
  version: number | undefined,
  since: Position,
): Position | undefined {
  const versions = RecordVersions.of(state, recordId);
  if (versions === undefined || versions.current.position <= since) return undefined;
  // A version made by an invalidation falls with the content it carries.
  const content = version === undefined ? undefined : versions.version(version)?.contentVersion;
  for (const entry of versions.upTo(Infinity)) {
    if (entry.position <= since) continue;
    const spares =
      entry.type === "record.invalidated" &&
      content !== undefined &&
      (content < entry.from || content > entry.to);
    if (!spares) return entry.position;
  }
  return undefined;
}
