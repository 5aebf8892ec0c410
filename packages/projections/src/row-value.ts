/** What a row may hold, and the check of it. */

/** JSON, and nothing that has to be told how to be stored. */
export type RowValue =
  | null
  | boolean
  | number
  | string
  | readonly RowValue[]
  | { readonly [member: string]: RowValue };

/** Levels of nesting in a row: more than the attributes of a record may have. */
const depthMax = 100;

/**
 * Checks that a value comes back from the disk as it went; -0 alone comes back as 0.
 *
 * @throws TypeError for what is not JSON: undefined, functions, dates, NaN, infinities, sparse lists, class instances,
 * half surrogate pairs, members called `__proto__`, and what is nested more than 100 deep
 */
export function assertRowValue(value: unknown, depth = 0): asserts value is RowValue {
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw refused("text with half of a surrogate pair");
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refused(`the number ${value}`);
  } else if (typeof value === "object") {
    if (depth >= depthMax) throw refused(`something nested more than ${depthMax} deep`);
    if (Array.isArray(value)) for (const item of value) assertRowValue(item, depth + 1);
    else assertMembers(value, depth);
  } else {
    throw refused(typeof value);
  }
}

function assertMembers(value: object, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw refused("an object that is not plain");
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__" || !name.isWellFormed())
      throw refused(`a member called ${JSON.stringify(name)}`);
    assertRowValue(member, depth + 1);
  }
}

function refused(what: string): TypeError {
  return new TypeError(`A row holds JSON; it cannot hold ${what}.`);
}
