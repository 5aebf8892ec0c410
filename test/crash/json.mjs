// JSON values: where two of them differ, and what a merge patch makes of one.

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Says where two JSON values differ; undefined when they do not. */
export function difference(actual, expected, path = "") {
  if (typeof actual === "object" && typeof expected === "object" && actual && expected) {
    const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
    for (const name of names) {
      const found = difference(actual[name], expected[name], `${path}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (actual === expected) return undefined;
  return `${path || "/"} is ${JSON.stringify(actual)} and should be ${JSON.stringify(expected)}`;
}

/** Applies a merge patch as RFC 7396 defines it. */
export function merged(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}
