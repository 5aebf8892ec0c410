/** What a receipt is as JSON, and the strict reading of one that somebody else has sent. */
import { decodeBase64 } from "../checkpoint/base64.ts";
import { StoreError } from "../errors.ts";
import { Checker } from "../event/checker.ts";
import type { Position, RecordVersionRef } from "../ids.ts";

/** Names the format in every receipt. */
export const receiptFormat = "sennit-receipt";
/** The version of the format that is written and read. */
export const receiptVersion = 1;

/** One event of a receipt. Bytes are in base64 with padding. */
export interface ReceiptEntry {
  readonly position: Position;
  /** The stored header; its leaf hash stands in the log's tree. */
  readonly header: string;
  /** The stored payload; the header holds its digest. Null when it was erased. */
  readonly payload: string | null;
  /** The stored document that the patch made; the header holds its digest. Absent for other events. */
  readonly document?: string;
  /** The hashes that lead from the leaf to the root of the checkpoint. */
  readonly proof: readonly string[];
}

/** Shows that the log had this root at this size and has only grown since. */
export interface ReceiptConsistency {
  readonly size: Position;
  readonly root: string;
  readonly proof: readonly string[];
}

/** What a decision rested on, with the proof that a log says so. */
export interface Receipt {
  readonly format: typeof receiptFormat;
  readonly version: typeof receiptVersion;
  readonly decision: RecordVersionRef;
  /** The events that make up the closure, in the order of their positions. */
  readonly entries: readonly ReceiptEntry[];
  /** A signed note. */
  readonly checkpoint: string;
  readonly consistency: ReceiptConsistency | null;
}

/** An event of a receipt as bytes. */
export interface EntryParts {
  readonly position: Position;
  readonly header: Uint8Array;
  /** Undefined when it was erased. */
  readonly payload: Uint8Array | undefined;
  readonly document: Uint8Array | undefined;
  readonly proof: readonly Uint8Array[];
}

/** A receipt as bytes. Only its form has been checked. */
export interface ReceiptParts {
  readonly decision: RecordVersionRef;
  readonly entries: readonly EntryParts[];
  readonly checkpoint: string;
  readonly consistency:
    | { readonly size: Position; readonly root: Uint8Array; readonly proof: readonly Uint8Array[] }
    | undefined;
}

const receiptMembers = new Set([
  "format",
  "version",
  "decision",
  "entries",
  "checkpoint",
  "consistency",
]);
const decisionMembers = new Set(["recordId", "version"]);
const entryMembers = new Set(["position", "header", "payload", "document", "proof"]);
const consistencyMembers = new Set(["size", "root", "proof"]);
const hashBytes = 32;
/** Positions are below 2^53, so no proof needs more than two hashes for each level. */
const proofHashesMax = 106;

/** Reads a receipt. @throws `receipt-malformed`, `receipt-out-of-order` */
export function parseReceipt(value: unknown): ReceiptParts {
  const reading = new ReceiptReading();
  const parts = reading.receipt(value);
  if (parts !== undefined && reading.checker.count === 0) {
    if (reading.isInOrder) return parts;
    throw new StoreError(
      "receipt-out-of-order",
      "The receipt's events do not stand in the order of their positions.",
    );
  }
  const { issues, count } = reading.checker;
  const [first] = issues;
  const place = first === undefined || first.pointer === "" ? "The receipt" : first.pointer;
  throw new StoreError("receipt-malformed", `${place} ${first?.message ?? "is no receipt"}.`, {
    details: { issues, issueCount: count },
  });
}

/** Reads the parts of one receipt and remembers what is wrong with them. */
class ReceiptReading {
  readonly checker = new Checker();
  /** False when an entry stands behind one of a later position, or of the same. */
  isInOrder = true;

  receipt(value: unknown): ReceiptParts | undefined {
    const { checker } = this;
    if (!checker.object(value, "")) return undefined;
    if (value["format"] !== receiptFormat)
      checker.fail("/format", `must be ${JSON.stringify(receiptFormat)}`);
    if (value["version"] !== receiptVersion) checker.fail("/version", `must be ${receiptVersion}`);
    checker.members(value, receiptMembers, "");
    const decision = this.#decision(value["decision"]);
    const entries = this.#entries(value["entries"]);
    const checkpoint = this.#text(value["checkpoint"], "/checkpoint");
    const consistency = this.#consistency(value["consistency"]);
    return { decision, entries, checkpoint, consistency };
  }

  #decision(value: unknown): RecordVersionRef {
    const { checker } = this;
    if (!checker.object(value, "/decision")) return { recordId: "", version: 0 };
    checker.members(value, decisionMembers, "/decision");
    return {
      recordId: this.#text(value["recordId"], "/decision/recordId"),
      version: this.#integer(value["version"], "/decision/version", 1),
    };
  }

  #entries(value: unknown): EntryParts[] {
    const { checker } = this;
    if (!checker.array(value, "/entries", Number.MAX_SAFE_INTEGER)) return [];
    let last = 0;
    return value.map((item, index) => {
      const entry = this.#entry(item, `/entries/${index}`);
      this.isInOrder &&= entry.position > last;
      last = entry.position;
      return entry;
    });
  }

  #entry(value: unknown, pointer: string): EntryParts {
    const { checker } = this;
    const nothing = new Uint8Array();
    if (!checker.object(value, pointer))
      return { position: 0, header: nothing, payload: nothing, document: undefined, proof: [] };
    checker.members(value, entryMembers, pointer);
    const { payload, document } = value;
    return {
      position: this.#integer(value["position"], `${pointer}/position`, 1),
      header: this.#bytes(value["header"], `${pointer}/header`),
      payload: payload === null ? undefined : this.#bytes(payload, `${pointer}/payload`),
      document: document === undefined ? undefined : this.#bytes(document, `${pointer}/document`),
      proof: this.#hashes(value["proof"], `${pointer}/proof`),
    };
  }

  #consistency(value: unknown): ReceiptParts["consistency"] {
    const { checker } = this;
    if (value === null || !checker.object(value, "/consistency")) return undefined;
    checker.members(value, consistencyMembers, "/consistency");
    return {
      size: this.#integer(value["size"], "/consistency/size", 0),
      root: this.#hash(value["root"], "/consistency/root"),
      proof: this.#hashes(value["proof"], "/consistency/proof"),
    };
  }

  #hashes(value: unknown, pointer: string): Uint8Array[] {
    if (!this.checker.array(value, pointer, proofHashesMax)) return [];
    return value.map((item, index) => this.#hash(item, `${pointer}/${index}`));
  }

  #hash(value: unknown, pointer: string): Uint8Array {
    const bytes = this.#bytes(value, pointer);
    if (bytes.length !== hashBytes) this.checker.fail(pointer, `must be ${hashBytes} bytes`);
    return bytes;
  }

  #bytes(value: unknown, pointer: string): Uint8Array {
    const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
    if (bytes === undefined) this.checker.fail(pointer, "must be base64 with padding");
    return bytes ?? new Uint8Array();
  }

  #text(value: unknown, pointer: string): string {
    if (typeof value === "string") return value;
    this.checker.fail(pointer, "must be text");
    return "";
  }

  #integer(value: unknown, pointer: string, min: number): number {
    return this.checker.integer(value, pointer, min, Number.MAX_SAFE_INTEGER) ? value : 0;
  }
}
