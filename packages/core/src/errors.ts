/** The one error class of Sennit, its codes, and the category each code belongs to. */

/** What a caller can do about an error. The command line maps it to an exit code, a server to a status. */
export type ErrorCategory =
  | "invalid"
  | "denied"
  | "not-found"
  | "conflict"
  | "unsupported"
  | "busy"
  | "unavailable"
  | "corrupt"
  | "interrupted"
  | "internal";

interface CodeEntry {
  readonly category: ErrorCategory;
  /** What to do next, where the place that raises the error does not know better. */
  readonly hint: string;
}

/** Every code: its category and the hint given when none more precise is known. */
export const errorCodes = {
  "argument-invalid": { category: "invalid", hint: "Correct the argument named in the message." },
  "as-of-ahead-of-head": {
    category: "invalid",
    hint: "Ask for a position up to the head, or a time that has passed.",
  },
  "as-of-invalid": {
    category: "invalid",
    hint: "Give a position (812), an RFC 3339 time with a zone (2026-03-02T10:00:00Z) or a label.",
  },
  "batch-too-large": { category: "invalid", hint: "Send fewer or smaller events in one batch." },
  "event-invalid": { category: "invalid", hint: "Correct the fields named by the pointers." },
  "event-too-large": {
    category: "invalid",
    hint: "Keep large content outside the store and name it in uris or artifacts.",
  },
  "checkpoint-inconsistent": {
    category: "invalid",
    hint: "Make the receipt again with --against the older checkpoint; if that does not help, the log was rewritten.",
  },
  "checkpoint-of-another-log": {
    category: "invalid",
    hint: "Get a checkpoint of the log that the key belongs to, or the key of the checkpoint's log.",
  },
  "checkpoint-untrusted": {
    category: "invalid",
    hint: "Get the store's verifier key from somebody you trust, and check that it belongs to this log.",
  },
  "cursor-invalid": {
    category: "invalid",
    hint: "Use the cursor of the previous page unchanged, with the same query and as-of.",
  },
  "ref-invalid": { category: "invalid", hint: "Write ID, ID@VERSION or KIND/NAME." },
  "backup-incomplete": {
    category: "invalid",
    hint: "Name all directories of the backup, oldest first: sennit restore-store BACKUP... DIR",
  },
  "backup-invalid": { category: "invalid", hint: "Name the directory of a backup." },
  "import-invalid": { category: "invalid", hint: "Check that the file has the format named." },
  "import-out-of-order": {
    category: "invalid",
    hint: "Lines are missing, twice there or in another order: export the store again.",
  },
  "import-tampered": {
    category: "invalid",
    hint: "The file was changed after it was written: export the store again.",
  },
  "import-truncated": {
    category: "invalid",
    hint: "The end of the file is missing: copy it again, or export the store again.",
  },
  "key-invalid": { category: "invalid", hint: "Check the key file, or put back a copy of it." },
  "label-invalid": {
    category: "invalid",
    hint: "A label holds no white space, looks like neither a number nor a time, and does not begin with a minus.",
  },
  "not-a-store": {
    category: "invalid",
    hint: "Name the directory of a store, or make one with: sennit init DIR",
  },
  "query-invalid": {
    category: "invalid",
    hint: "Correct the query at the place marked: docs/reference/search.md has the grammar.",
  },
  "receipt-content-invalid": {
    category: "invalid",
    hint: "The receipt was changed, or its log was not written by Sennit: ask for a new one.",
  },
  "receipt-incomplete": {
    category: "invalid",
    hint: "Events were taken out of the receipt: ask for a new one.",
  },
  "receipt-malformed": {
    category: "invalid",
    hint: "Check that the file is a receipt, whole and as it was made.",
  },
  "receipt-out-of-order": {
    category: "invalid",
    hint: "Events of the receipt were moved: ask for a new one.",
  },
  "receipt-truncated": {
    category: "invalid",
    hint: "The end of the file is missing: copy it again, or ask for a new one.",
  },
  "receipt-proof-invalid": {
    category: "invalid",
    hint: "The receipt was changed, or its events are of another log: ask for a new one.",
  },
  "source-unknown": {
    category: "invalid",
    hint: 'Store the source first, or ask for placeholders with "unknownSources": "placeholder".',
  },
  "ref-ambiguous": { category: "invalid", hint: "Use the record's id." },
  "setting-invalid": {
    category: "invalid",
    hint: "Correct it there: docs/reference/configuration.md has every setting.",
  },
  usage: { category: "invalid", hint: "See: sennit help" },
  "file-unreadable": { category: "invalid", hint: "Check the path and its permissions." },

  "body-invalid": { category: "invalid", hint: "Send a body of the type that Content-Type names." },
  "body-too-large": {
    category: "invalid",
    hint: "Send fewer events in one body, or as application/x-ndjson, which has no limit.",
  },
  "headers-too-large": {
    category: "invalid",
    hint: "Send fewer and shorter headers, and a shorter URL.",
  },
  "media-type-unsupported": {
    category: "invalid",
    hint: "See in /openapi.json which types of body the route takes.",
  },
  "method-not-allowed": {
    category: "invalid",
    hint: "Use a method that the header Allow names; the routes are at /docs.",
  },
  "not-acceptable": {
    category: "invalid",
    hint: "See in /openapi.json which forms the route can give.",
  },
  "request-invalid": {
    category: "invalid",
    hint: "Correct what the pointers name; /openapi.json has the shapes.",
  },
  "request-timeout": {
    category: "invalid",
    hint: "Send the request's headers at once.",
  },

  unauthenticated: {
    category: "denied",
    hint: "Send a credential: Authorization: Bearer KEY, or SENNIT_TOKEN for the command. Make one with: sennit keys create",
  },
  forbidden: { category: "denied", hint: "Ask for a credential that allows it." },

  "route-not-found": { category: "not-found", hint: "See the routes at /docs." },
  "key-not-found": { category: "not-found", hint: "See the keys with: sennit keys list" },
  "record-not-found": { category: "not-found", hint: "See what there is with: sennit list" },
  "version-not-found": { category: "not-found", hint: "See the versions with: sennit history REF" },
  "subscription-not-found": {
    category: "not-found",
    hint: "See the subscriptions at /v1/subscriptions.",
  },
  "label-not-found": {
    category: "not-found",
    hint: "See the labels with: sennit list --kind label. A time is written like 2026-03-02T10:00:00Z.",
  },
  "store-not-found": { category: "not-found", hint: "Make a store with: sennit init" },

  "record-already-exists": {
    category: "conflict",
    hint: "Send record.updated to make the next version, or use another recordId.",
  },
  "precondition-failed": {
    category: "conflict",
    hint: "Read the record again and retry with its ETag.",
  },
  "version-conflict": { category: "conflict", hint: "Read the record again and retry." },
  "head-conflict": { category: "conflict", hint: "Read the head again and retry." },
  "condition-failed": {
    category: "conflict",
    hint: "Something the batch relies on has changed: read it again and decide anew.",
  },
  "event-id-reused": {
    category: "conflict",
    hint: "An event id names one event for ever: give the new event an id of its own.",
  },
  "idempotency-key-reused": {
    category: "conflict",
    hint: "An idempotency key names one batch for ever: use a new key for a new batch.",
  },
  "kind-immutable": {
    category: "conflict",
    hint: "A record keeps its kind: create a new record derived from this one.",
  },
  "content-erased": {
    category: "conflict",
    hint: "What was erased cannot come back: send a whole new document, or a new event or batch.",
  },
  "backup-diverged": {
    category: "conflict",
    hint: "The store is not the one backed up any more: take a new backup into another directory, and find out why.",
  },
  "backup-of-another-store": {
    category: "conflict",
    hint: "Name a new directory, or that of a backup of this store.",
  },
  "not-delivered": {
    category: "conflict",
    hint: "Acknowledge the upTo of an answer that was read.",
  },
  "subscription-exists": {
    category: "conflict",
    hint: "Take another name, or delete the subscription first.",
  },
  "too-many-subscriptions": {
    category: "conflict",
    hint: "Delete one that nobody reads, or raise the server's setting subscriptionsMax.",
  },
  "file-exists": {
    category: "conflict",
    hint: "Name another file, or say that it may be replaced: --force",
  },
  "directory-not-empty": { category: "conflict", hint: "Name a new or an empty directory." },
  "replay-differs": {
    category: "conflict",
    hint: "The verdicts say which inputs have changed since the decision.",
  },

  "format-too-new": {
    category: "unsupported",
    hint: "Open the store with the newer Sennit that wrote it.",
  },
  "lineage-too-large": {
    category: "unsupported",
    hint: "Give the process more memory; a log of more events than that answers no questions of lineage.",
  },

  "backup-locked": {
    category: "busy",
    hint: "One run at a time works on a backup: wait for it or stop it.",
  },
  "keys-locked": {
    category: "busy",
    hint: "Another command changes the keys: try again. A lock that stays can be deleted.",
  },
  "view-rebuilt": { category: "busy", hint: "Ask the views again." },
  "projection-paused": {
    category: "busy",
    hint: "Resume the projection, or ask as of an instant it had got to.",
  },
  "position-not-reached": {
    category: "busy",
    hint: "Ask again in a moment, or ask the server that stored it.",
  },
  "rate-limited": { category: "busy", hint: "Wait as long as Retry-After says." },
  "store-locked": {
    category: "busy",
    hint: "One process at a time may open a store: wait for it or stop it.",
  },
  "store-reopening": { category: "busy", hint: "Ask again in a moment." },
  "too-many-streams": {
    category: "busy",
    hint: "Wait for one to end, or raise the server's setting streamsMax.",
  },
  "too-many-pending-appends": { category: "busy", hint: "Wait for earlier appends, then retry." },

  "disk-full": {
    category: "unavailable",
    hint: "Free some space, then send the batch again; nothing acknowledged is lost.",
  },
  "listen-failed": {
    category: "unavailable",
    hint: "Give another address: --host and --port",
  },
  "keys-unreadable": {
    category: "unavailable",
    hint: "Make keys.json readable, or put back a copy of it; without it no key counts.",
  },
  "outcome-unknown": {
    category: "unavailable",
    hint: "Send the events again with their ids, or the batch with its idempotency key: nothing is stored twice.",
  },
  "server-unreachable": {
    category: "unavailable",
    hint: "Check the URL and that the server runs: sennit serve",
  },
  "store-closed": { category: "unavailable", hint: "Open the store again." },
  "write-failed": {
    category: "unavailable",
    hint: "See to what the message names, then send the batch again; the store recovers by itself.",
  },

  "checksum-mismatch": { category: "corrupt", hint: "Run: sennit verify" },
  "backup-damaged": {
    category: "corrupt",
    hint: "Nothing has been changed. Use another copy of the backup, or take a new one into another directory.",
  },
  "file-damaged": {
    category: "corrupt",
    hint: "Nothing has been changed. Put back a copy of the store's directory log, whole, or see what can be kept: sennit verify --repair",
  },
  "entry-unreadable": { category: "corrupt", hint: "Run: sennit verify" },
  "log-gap": { category: "corrupt", hint: "Run: sennit verify" },
  "root-mismatch": { category: "corrupt", hint: "Run: sennit verify" },
  "head-mismatch": { category: "corrupt", hint: "Run: sennit verify" },

  aborted: { category: "interrupted", hint: "Nothing to do: the caller stopped it." },
  "projection-failed": {
    category: "internal",
    hint: "Correct the projection and open the views again; the log and the other projections go on.",
  },
  internal: { category: "internal", hint: "Please report it with the message and the steps." },
} as const satisfies Record<string, CodeEntry>;

/** A stable name of a failure. Tests and callers compare codes, never messages. */
export type ErrorCode = keyof typeof errorCodes;

/** One problem inside something sent: where (RFC 6901 JSON pointer or flag name) and what. */
export interface Issue {
  readonly pointer: string;
  readonly message: string;
}

/** The particulars of a failure, as plain JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export interface StoreErrorOptions {
  readonly hint?: string | undefined;
  readonly details?: ErrorDetails | undefined;
  readonly cause?: unknown;
}

/** Every failure a caller can meet. Guarantees a stable `code`, the `category` that follows from it, and a `hint`. */
export class StoreError extends Error {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StoreError";
    this.code = code;
    this.category = errorCodes[code].category;
    this.hint = options.hint ?? errorCodes[code].hint;
    this.details = options.details ?? {};
  }

  /** The error as documented JSON: `{code, category, message, hint, details}`. */
  toJSON(): {
    readonly code: ErrorCode;
    readonly category: ErrorCategory;
    readonly message: string;
    readonly hint: string;
    readonly details: ErrorDetails;
  } {
    const { code, category, message, hint, details } = this;
    return { code, category, message, hint, details };
  }
}

/** True for a `StoreError`, also one made by another copy of this package in the same process. */
export function isStoreError(value: unknown): value is StoreError {
  return (
    value instanceof Error && value.name === "StoreError" && "code" in value && "category" in value
  );
}

/** Returns a `StoreError` as it is and wraps anything else as `internal`, keeping it as the cause. */
export function toStoreError(value: unknown): StoreError {
  if (isStoreError(value)) return value;
  const message = value instanceof Error ? value.message : String(value);
  return new StoreError("internal", message, { cause: value });
}
