/** The version that a record must have for a change of it: the `If-Match` header. */
import { isStoreError, StoreError, type ExpectedVersion, type Version } from "@sennit/core";

/** What the header demands; undefined when there is none. */
export interface IfMatch {
  /** `*`: the record is there, at whatever version. */
  readonly isAny: boolean;
  /** Empty when none of the tags can be a version's. */
  readonly versions: readonly Version[];
}

const header = "If-Match";
const tagPattern = /^(W\/)?"([\x21\x23-\x7e]*)"$/;

/** Reads `*` and tags `"VERSION"` and `"VERSION.DIGEST"`. @throws `request-invalid` for what is no list of tags */
export function readIfMatch(value: string | undefined): IfMatch | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === "*") return { isAny: true, versions: [] };
  const versions = value.split(",").flatMap((part) => {
    const match = tagPattern.exec(part.trim());
    if (match === null) {
      throw new StoreError("request-invalid", `${header} must be * or a list of ETags.`, {
        hint: 'Send the ETag of the answer that the change is based on, such as "3".',
        details: { header, value },
      });
    }
    const [, weak, tag = ""] = match;
    const version = /^(\d{1,10})(\..*)?$/.exec(tag)?.[1];
    // A weak tag never matches (RFC 9110, 13.1.1), nor does one of something else than a record.
    return weak !== undefined || version === undefined ? [] : [Number(version)];
  });
  return { isAny: false, versions };
}

/**
 * The expectation to append with.
 *
 * @param current tells the version the record has now
 * @throws `precondition-failed`
 */
export async function expectationOf(
  demand: IfMatch | undefined,
  current: () => Promise<Version | undefined>,
): Promise<ExpectedVersion | undefined> {
  if (demand === undefined) return undefined;
  if (demand.isAny) return "exists";
  const [only, ...others] = demand.versions;
  if (only !== undefined && others.length === 0 && only > 0) return only;
  const version = await current();
  if (version !== undefined && demand.versions.includes(version)) return version;
  throw preconditionFailed({ expected: demand.versions, actual: version ?? null });
}

/** A conflict of versions as what it is to who sent the header. */
export function asPrecondition(error: unknown, demand: IfMatch | undefined): unknown {
  if (demand === undefined || !isStoreError(error) || error.code !== "version-conflict")
    return error;
  return preconditionFailed(error.details, error);
}

function preconditionFailed(
  details: Readonly<Record<string, unknown>>,
  cause?: StoreError,
): StoreError {
  const { index: _, ...told } = details;
  return new StoreError(
    "precondition-failed",
    "The record is at another version than If-Match names.",
    {
      details: { ...told, header },
      cause,
    },
  );
}
