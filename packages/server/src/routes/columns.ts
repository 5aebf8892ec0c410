/** Columns of the CSV forms, where several routes have the same. They are stable: new ones come at the end. */

export const recordColumns = [
  "id",
  "version",
  "kind",
  "name",
  "status",
  "stale",
  "position",
  "recordedAt",
  "createdAt",
  "occurredAt",
  "actor",
  "tags",
  "uris",
  "attributes",
  "artifacts",
  "derivedFrom",
  "onInvalidate",
  "invalidation",
  "erased",
] as const;

export const eventColumns = [
  "position",
  "type",
  "recordId",
  "version",
  "recordedAt",
  "occurredAt",
  "actor",
  "id",
  "causationId",
  "correlationId",
  "hash",
  "erasedBy",
  "data",
] as const;
