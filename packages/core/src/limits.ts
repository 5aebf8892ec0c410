/**
 * Every bound of the store, with its unit, in one place.
 *
 * Each exists so that a single mistaken or hostile request cannot use memory, disk or time without end.
 */
export const limits = {
  /** Bytes of one stored event (header and payload as packed). */
  eventBytesMax: 1024 * 1024,
  /** Bytes of the document a patch makes, packed: with an envelope around it, it can still be restored as one event. */
  documentBytesMax: 1024 * 1024 - 64 * 1024,
  /** Events in one batch as sent; consequences are not counted. */
  batchEventsMax: 10_000,
  /** Bytes of one batch as sent, packed. */
  batchBytesMax: 16 * 1024 * 1024,
  /** Events the store may add to one batch (cascades, late edges, placeholders). */
  consequencesMax: 1_000_000,
  /** UTF-8 bytes of a record id. */
  recordIdBytesMax: 512,
  /** UTF-8 bytes of a kind. */
  kindBytesMax: 128,
  /** UTF-8 bytes of a record's name. */
  nameBytesMax: 1024,
  /** Tags of one record. */
  tagsMax: 256,
  /** UTF-8 bytes of a tag's key. */
  tagKeyBytesMax: 256,
  /** UTF-8 bytes of a tag's text value. */
  tagValueBytesMax: 4096,
  /** URIs of one record. */
  urisMax: 10_000,
  /** UTF-8 bytes of one URI. */
  uriBytesMax: 8192,
  /** Artifacts of one record. */
  artifactsMax: 10_000,
  /** Derivations (sources) of one record version. */
  derivationsMax: 10_000,
  /** Actions named in one record's `onInvalidate`. */
  actionsMax: 256,
  /** UTF-8 bytes of a derivation's role. */
  roleBytesMax: 256,
  /** Levels of nesting in `attributes`. */
  attributesDepthMax: 64,
  /** UTF-8 bytes of a cause or a reason. */
  causeBytesMax: 16 * 1024,
  /** UTF-8 bytes of an actor. */
  actorBytesMax: 512,
  /** UTF-8 bytes of a batch's idempotency key. */
  idempotencyKeyBytesMax: 256,
  /** UTF-8 bytes of a label's name. */
  labelBytesMax: 200,
  /** Record versions named in one batch condition. */
  conditionRecordsMax: 10_000,
  /** Positions and times are exact as JavaScript numbers up to here (2^53 - 1). */
  positionMax: Number.MAX_SAFE_INTEGER,
  /** Last time that can be recorded, microseconds since the epoch: exact as a number up to the year 2255. */
  timeUsMax: Number.MAX_SAFE_INTEGER,
  /** Versions of one record (32 bits in the version blocks). */
  versionMax: 0xffff_ffff,
  /** Events written by one synced write; more wait for the next one. */
  groupEventsMax: 4096,
  /** Keys waiting for the disk before further appends are refused. */
  pendingPutsMax: 1_000_000,
  /** Events that wait to be decided before further appends are refused. */
  waitingEventsMax: 100_000,
  /** Paths between two versions in one answer. */
  pathsMax: 10_000,
  /** Edges in all paths of one answer. */
  pathEdgesMax: 1_000_000,
  /** Roles, relations or kinds in one filter. */
  filterValuesMax: 256,
  /** Problems named in one `event-invalid` error; the rest are counted. */
  issuesMax: 20,
  /** UTF-8 bytes of a search query. */
  queryBytesMax: 16 * 1024,
  /** Parentheses inside each other in a search query. */
  queryDepthMax: 64,
} as const;
