/** Makes receipts: the events that a decision's closure is made of, each with its proof. */
import { must } from "../assert.ts";
import { encodeBase64 } from "../checkpoint/base64.ts";
import { StoreError } from "../errors.ts";
import type { Position, RecordVersionRef } from "../ids.ts";
import { Pacer } from "../lineage/pacer.ts";
import { Walk } from "../lineage/walk.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import { finishWalk } from "../read/lineage-answer.ts";
import { mustFindRef, type ReadScope } from "../read/scope.ts";
import { mustHaveVersions } from "../records/versions.ts";
import { mustHaveEntry, type State } from "../records/state.ts";
import { documentDigest } from "./fold-closure.ts";
import {
  receiptFormat,
  receiptVersion,
  type Receipt,
  type ReceiptConsistency,
  type ReceiptEntry,
} from "./receipt-format.ts";

/** How a receipt is made. */
export interface ReceiptOptions {
  /** Size of the checkpoint, and the instant the ref is read as of. Default: the head. */
  readonly size?: Position | undefined;
  /** Adds the proof that the log has only grown since it had this size. */
  readonly against?: { readonly size: Position } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Versions looked at, or entries proven, between two looks at the clock. */
const stepsAtOnce = 16;

/**
 * Makes the receipt of a record version. Grows with the closure times log2 of the size.
 *
 * @param sign gives the signed checkpoint of a size
 * @throws `record-not-found`, `version-not-found`, `ref-invalid`, `argument-invalid`, `aborted`
 */
export async function makeReceipt(
  log: EmbeddedLog,
  sign: (size: Position) => Promise<string>,
  ref: string,
  { size = log.head, against, signal }: ReceiptOptions = {},
): Promise<Receipt> {
  const pacer = new Pacer(signal);
  const checkpoint = await sign(size);
  const scope = { log, state: log.state, asOf: size };
  const { decision, positions } = await eventsOf(scope, ref, pacer);
  const prove = log.proofs.inclusionProofs();
  const entries: ReceiptEntry[] = [];
  for (const position of positions) {
    entries.push(receiptEntry(log, position, prove(position, size)));
    if (entries.length % stepsAtOnce === 0 && pacer.isDue) await pacer.turn();
  }
  return {
    format: receiptFormat,
    version: receiptVersion,
    decision,
    entries,
    checkpoint,
    consistency: against === undefined ? null : consistencyOf(log, against.size, size),
  };
}

async function eventsOf(
  scope: ReadScope,
  ref: string,
  pacer: Pacer,
): Promise<{ readonly decision: RecordVersionRef; readonly positions: readonly Position[] }> {
  // As for a replay, what was decided is the content, not a later withdrawal of it.
  const decidedAt = mustFindRef(scope, ref).entry.contentPosition;
  const graph = await scope.log.graph();
  const walk = new Walk(graph, "ancestors", [decidedAt], { asOf: decidedAt });
  await finishWalk(walk, pacer);
  const versions = [decidedAt, ...walk.positions()].map((position) => graph.refAt(position));
  const positions = new Set<Position>();
  await pacer.through(addAllEvents(scope, versions, positions));
  return {
    decision: graph.refAt(decidedAt),
    positions: [...positions].toSorted((a, b) => a - b),
  };
}

/** Adds all that the versions need. It can be left after each event. */
function* addAllEvents(
  scope: ReadScope,
  needed: readonly RecordVersionRef[],
  positions: Set<Position>,
): Generator<undefined> {
  for (const version of needed) yield* addEvents(scope.state, version, positions);
  yield* addErasures(scope, positions);
}

/**
 * Adds the event that holds the version's content. Where it does not say all of it (a patch of entry format 1, erased
 * content, whose sources may stand in an earlier header), those before it are added too, back to one that does.
 */
function* addEvents(
  state: State,
  { recordId, version: last }: RecordVersionRef,
  positions: Set<Position>,
): Generator<undefined> {
  const versions = mustHaveVersions(state, recordId);
  for (let version = last; ; version -= 1) {
    const entry = must(versions.version(version), "a record has every version up to its last");
    // Another pinned version of the record has brought this one, and with it all that is below.
    if (positions.has(entry.position)) return;
    positions.add(entry.position);
    yield undefined;
    if (entry.type === "record.created") return;
    if (entry.type === "record.invalidated" || entry.erased) continue;
    if (!entry.patched || documentDigest(mustHaveEntry(state, entry.position)) !== null) return;
  }
}

/** Adds the records of what was erased: that content is missing has to be proven as well. */
function* addErasures({ state, asOf }: ReadScope, positions: Set<Position>): Generator<undefined> {
  for (const position of positions) {
    yield undefined;
    const { erasure } = mustHaveEntry(state, position);
    if (erasure === undefined) continue;
    if (erasure.erasedBy > asOf) {
      throw new StoreError(
        "content-erased",
        `The content of the event at position ${position} was erased at position ${erasure.erasedBy}, after the checkpoint.`,
        {
          hint: `Ask for a receipt as of position ${erasure.erasedBy} or later.`,
          details: { position, erasedBy: erasure.erasedBy },
        },
      );
    }
    positions.add(erasure.erasedBy);
  }
}

function receiptEntry(
  log: EmbeddedLog,
  position: Position,
  proof: readonly Buffer[],
): ReceiptEntry {
  const entry = must(log.state.entry(position), "a version has its event");
  const document = documentDigest(entry) === null ? undefined : log.state.documentBytes(position);
  return {
    position,
    header: encodeBase64(entry.headerBytes),
    payload: entry.erasure === undefined ? encodeBase64(entry.payloadBytes) : null,
    ...(document !== undefined && { document: encodeBase64(document) }),
    proof: proof.map((hash) => encodeBase64(hash)),
  };
}

function consistencyOf(log: EmbeddedLog, from: Position, size: Position): ReceiptConsistency {
  const proof = log.proofs.consistencyProof(from, size).map((hash) => encodeBase64(hash));
  return { size: from, root: encodeBase64(log.proofs.treeHead(from).root), proof };
}
