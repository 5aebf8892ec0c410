/** A schema under which a member that is not declared is a mistake. */
export function strictSchema(schema: unknown): object {
  return strict(schema) as object;
}

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, strict(value)]),
  );
  return "properties" in copy && !("patternProperties" in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}
