/** Writes JSON that says what the value says, or refuses to. */
import { ClientError } from "./client-error.ts";

/**
 * The JSON text of what is sent. Members that are undefined count as absent.
 *
 * @throws `event-invalid` for what JSON would drop or turn into something else, and for what is too deep for it
 */
export function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, function check(this: unknown, key: string, member: unknown) {
      const problem = problemOf(this, key, member);
      if (problem !== undefined) throw refusal(key, problem);
      return member;
    });
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw refusal("", "cannot be written as JSON", error);
  }
  if (text === undefined) throw refusal("", "is no JSON");
  return text;
}

function problemOf(holder: unknown, key: string, member: unknown): string | undefined {
  switch (typeof member) {
    case "number":
      return Number.isFinite(member) ? undefined : "must be a finite number";
    case "bigint":
    case "function":
    case "symbol":
      return `must be JSON, and is a ${typeof member}`;
    case "undefined":
      return Array.isArray(holder) ? "must be JSON, and is undefined" : undefined;
    default:
      break;
  }
  const given = (holder as Readonly<Record<string, unknown>>)[key];
  return isPlain(given) ? undefined : "must be a plain object";
}

/** Anything with a class of its own would lose what it is. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refusal(key: string, problem: string, cause?: unknown): ClientError {
  const pointer = key === "" ? "" : `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return new ClientError("event-invalid", `What is sent ${problem} at ${JSON.stringify(key)}.`, {
    details: { issues: [{ pointer, message: problem }] },
    cause,
  });
}
