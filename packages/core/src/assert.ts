/** Checks for programmer errors: what fails here is a defect of ours, never a caller's input. */

/** Throws when an invariant of the code does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Invariant broken: ${message}`);
}

/** Returns the value, or throws when it is missing although an invariant says it cannot be. */
export function must<T>(value: T | undefined | null, message: string): T {
  assert(value !== undefined && value !== null, message);
  return value;
}

/** Marks a branch the types rule out. */
export function unreachable(value: never): never {
  throw new Error(`Invariant broken: unreachable value ${JSON.stringify(value)}`);
}
