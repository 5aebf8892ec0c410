/** Which fields a query can name, with which operators and values. */
import type { SearchField } from "./search-query.ts";

export type Operator = ":" | "=" | "!=" | "<" | "<=" | ">" | ">=";

/** How the value of a field is read. */
type ValueType = "text" | "value" | "status" | "time" | "count" | "ref";

export interface FieldEntry {
  readonly value: ValueType;
  readonly operators: readonly Operator[];
  /** True when a path follows after a dot, and the field may stand without an operator. */
  readonly hasPath?: boolean;
}

const equality = [":", "=", "!="] as const;
const order = [":", "=", "!=", "<", "<=", ">", ">="] as const;
const membership = [":", "="] as const;

/** Every field. A record has several `uri` and `from`, so that `!=` would be ambiguous there: it is written with `-`. */
export const searchFields: Readonly<Record<SearchField, FieldEntry>> = {
  kind: { value: "text", operators: equality },
  name: { value: "text", operators: equality },
  id: { value: "text", operators: equality },
  actor: { value: "text", operators: equality },
  uri: { value: "text", operators: membership },
  status: { value: "status", operators: equality },
  from: { value: "ref", operators: membership },
  tag: { value: "value", operators: order, hasPath: true },
  attr: { value: "value", operators: order, hasPath: true },
  recorded: { value: "time", operators: order },
  created: { value: "time", operators: order },
  occurred: { value: "time", operators: order },
  position: { value: "count", operators: order },
  version: { value: "count", operators: order },
};

/** True for the name of a field, whatever names objects are born with. */
export function isSearchField(name: string): name is SearchField {
  return Object.hasOwn(searchFields, name);
}

/** Field names as they are written. */
export const fieldNames: readonly string[] = Object.entries(searchFields).map(
  ([name, { hasPath }]) => (hasPath === true ? `${name}.` : name),
);
