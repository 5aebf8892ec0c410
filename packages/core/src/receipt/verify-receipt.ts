/** Verifies receipts with nothing but a public key: no store, no network. */
import {
  openCheckpoint,
  parseCheckpoint,
  type Checkpoint,
  type VerifierKey,
} from "../checkpoint/signed-note.ts";
import { Entry } from "../codec/entry.ts";
import { decodePatchedDocument } from "../codec/patched-document.ts";
import { isStoreError, StoreError } from "../errors.ts";
import { closureDigest } from "../event/closure-digest.ts";
import type { RecordDocument } from "../event/document.ts";
import type { Position, RecordVersionRef } from "../ids.ts";
import { sha256 } from "../merkle/hashing.ts";
import { hashLeaf, verifyConsistency, verifyInclusion } from "../merkle/verify-proof.ts";
import {
  documentDigest,
  foldClosure,
  type ProvenEntry,
  type ProvenVersion,
} from "./fold-closure.ts";
import { parseReceipt, type EntryParts, type ReceiptParts } from "./receipt-format.ts";

export interface VerifyReceiptOptions {
  /** An older checkpoint of the log, a signed note: the log must have only grown since. */
  readonly against?: string | undefined;
}

/** What a receipt proves. */
export interface VerifiedReceipt {
  readonly decision: RecordVersionRef;
  /** The decision and all it rests on, in the order of positions: the decision is the last. */
  readonly closure: readonly ProvenVersion[];
  /** What the log said of itself when the receipt was made. */
  readonly checkpoint: Checkpoint;
  /** The older checkpoint the log has only grown since, when one was given. */
  readonly against: Checkpoint | undefined;
  /** SHA-256 over the content of the closure, 64 hexadecimal digits, or null: the one that a replay gives. */
  readonly digest: string | null;
}

/**
 * Proves that the log whose key is given holds the decision, with this content, resting on these versions.
 *
 * @param receipt a receipt as JSON gives it; nothing about it is believed
 * @throws `receipt-malformed`, `receipt-out-of-order`, `checkpoint-of-another-log`, `checkpoint-untrusted`, `receipt-proof-invalid`, `receipt-content-invalid`,
 * `receipt-incomplete`, `checkpoint-inconsistent`; `format-too-new` for events of a newer format
 */
export async function verifyReceipt(
  receipt: unknown,
  key: VerifierKey,
  options: VerifyReceiptOptions = {},
): Promise<VerifiedReceipt> {
  const parts = parseReceipt(receipt);
  const checkpoint = await trusted(parts.checkpoint, key);
  const against = options.against === undefined ? undefined : await trusted(options.against, key);
  const entries: ProvenEntry[] = [];
  for (const entry of parts.entries) entries.push(await proven(entry, checkpoint));
  const closure = contentOf(() => foldClosure(entries, parts.decision));
  await checkConsistency(parts, checkpoint);
  if (against !== undefined) checkAgainst(against, parts, checkpoint);
  return { decision: parts.decision, closure, checkpoint, against, digest: closureDigest(closure) };
}

async function trusted(note: string, key: VerifierKey): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(note, key);
  if (checkpoint !== undefined) return checkpoint;
  const { origin = key.name } = parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1)) ?? {};
  if (origin !== key.name) {
    throw new StoreError(
      "checkpoint-of-another-log",
      `The checkpoint is one of ${JSON.stringify(origin)}, and the key is that of ${key.name}.`,
      { details: { origin, name: key.name } },
    );
  }
  throw new StoreError(
    "checkpoint-untrusted",
    `The checkpoint is not one of ${key.name} signed with the key given.`,
    { details: { name: key.name } },
  );
}

/** The event, once its header is proven to be in the log, and its content to be what the header commits to. */
async function proven(parts: EntryParts, checkpoint: Checkpoint): Promise<ProvenEntry> {
  const { position, header, payload, document, proof } = parts;
  const leaf = await hashLeaf(header);
  if (!(await verifyInclusion(leaf, position - 1, checkpoint, proof))) {
    throw new StoreError(
      "receipt-proof-invalid",
      `The event at position ${position} is not in the log that the checkpoint signs.`,
      { details: { position } },
    );
  }
  return contentOf(() => {
    const headerBytes = Buffer.from(header);
    if (payload === undefined) {
      if (document !== undefined) throw unwantedDocument(position, "has no content");
      const entry = Entry.withoutPayload(position, headerBytes);
      return { entry, document: undefined };
    }
    const entry = Entry.fromParts(position, headerBytes, Buffer.from(payload));
    if (!entry.payloadMatchesDigest()) throw otherContent(position);
    return { entry, document: provenDocument(entry, document) };
  });
}

/** The document of a patch, which its header commits to. */
function provenDocument(entry: Entry, bytes: Uint8Array | undefined): RecordDocument | undefined {
  const digest = documentDigest(entry);
  const { position } = entry.header;
  if (digest === null) {
    if (bytes === undefined) return undefined;
    throw unwantedDocument(position, "commits to no document");
  }
  if (bytes === undefined) {
    throw new StoreError(
      "receipt-incomplete",
      `The receipt lacks the document that the event at position ${position} made.`,
      { details: { position } },
    );
  }
  if (!sha256(bytes).equals(digest)) throw otherContent(position);
  return decodePatchedDocument(bytes);
}

function unwantedDocument(position: Position, why: string): StoreError {
  return new StoreError(
    "receipt-malformed",
    `The event at position ${position} ${why}, and the receipt has a document of it.`,
    { details: { position } },
  );
}

function otherContent(position: Position): StoreError {
  return new StoreError(
    "receipt-content-invalid",
    `The content of the event at position ${position} is not the one its header commits to.`,
    { details: { position } },
  );
}

/** Reads what a log has signed: bytes that are no events fail as an invalid content, and not as a defect of ours. */
function contentOf<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isStoreError(error) && error.category !== "corrupt") throw error;
    throw new StoreError("receipt-content-invalid", "The receipt holds bytes that are no events.", {
      cause: error,
    });
  }
}

/** Checked also when nobody asks for it: a receipt holds nothing that is not proven. */
async function checkConsistency(
  { consistency }: ReceiptParts,
  checkpoint: Checkpoint,
): Promise<void> {
  if (consistency === undefined) return;
  if (await verifyConsistency(consistency, checkpoint, consistency.proof)) return;
  throw inconsistent(
    `The log of ${checkpoint.size} events did not begin as the receipt says it did at ${consistency.size}.`,
  );
}

function checkAgainst(
  against: Checkpoint,
  { consistency }: ReceiptParts,
  checkpoint: Checkpoint,
): void {
  // A checkpoint of the same size needs no proof: the roots are equal, or they are not.
  const heads = [checkpoint, ...(consistency === undefined ? [] : [consistency])];
  const older = heads.find(({ size }) => size === against.size);
  if (older === undefined) {
    throw inconsistent(
      `The receipt does not say how the log of ${checkpoint.size} events goes on from the checkpoint of ${against.size}.`,
    );
  }
  if (Buffer.from(older.root).equals(against.root)) return;
  throw inconsistent(
    `The log of ${checkpoint.size} events does not begin with the ${against.size} of the older checkpoint.`,
  );
}

function inconsistent(message: string): StoreError {
  return new StoreError("checkpoint-inconsistent", message);
}
