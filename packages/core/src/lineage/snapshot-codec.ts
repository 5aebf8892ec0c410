/**
 * The lineage graph as the bytes of a snapshot: a header, then blocks with a chain of checksums.
 *
 * `docs/internals/lineage.md` has every byte. What stands in it is what entry headers say, in numbers, so that folding
 * it in makes the same graph as folding in the log.
 */
import { crc32c } from "../codec/crc32c.ts";
import { decodeMessagePack, encodeMessagePack } from "../codec/msgpack.ts";
import type { Relation } from "../event/document.ts";
import type { Position } from "../ids.ts";
import { LineageGraph, type NodeFacts } from "./graph.ts";
import { VarintReader, VarintWriter } from "./varint.ts";

/** The version of the format that is written, and the only one that is read. */
const snapshotFormat = 1;

const magic = Buffer.from("SENNITLG", "latin1");
const rootBytes = 32;
const rootAt = 24;
const crcAt = rootAt + rootBytes;
export const snapshotHeaderBytes = crcAt + 4;

/** Bytes before each block: its length, and its checksum. */
export const blockHeaderBytes = 8;
/** A block is ended once it has so many bytes. */
const blockBytes = 128 * 1024;
/** No block is longer: an event has at most 10 000 sources, and all labels together stand in one block. */
export const blockBytesMax = 64 * 1024 * 1024;

const isInvalidation = 1;
const setsEdges = 2;
const setsKind = 4;
const isNewRecord = 8;

/** What a snapshot says of itself. */
export interface SnapshotHeader {
  /** The last event folded in. */
  readonly position: Position;
  /** The Merkle root of the log up to it. */
  readonly root: Uint8Array;
}

export function encodeSnapshotHeader({ position, root }: SnapshotHeader): Buffer {
  const bytes = Buffer.alloc(snapshotHeaderBytes);
  bytes.set(magic);
  bytes.writeUInt32LE(snapshotFormat, 8);
  bytes.writeDoubleLE(position, 16);
  bytes.set(root, rootAt);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, crcAt)), crcAt);
  return bytes;
}

/** Undefined for what is no header of this format. */
export function decodeSnapshotHeader(bytes: Buffer): SnapshotHeader | undefined {
  if (bytes.length !== snapshotHeaderBytes || !bytes.subarray(0, 8).equals(magic)) return undefined;
  if (bytes.readUInt32LE(crcAt) !== crc32c(bytes.subarray(0, crcAt))) return undefined;
  if (bytes.readUInt32LE(8) !== snapshotFormat) return undefined;
  const position = bytes.readDoubleLE(16);
  return { position, root: Buffer.from(bytes.subarray(rootAt, crcAt)) };
}

/** The length and the checksum of a block. @param seed the checksum of the block before, of the header for the first */
export function encodeBlockHeader(block: Uint8Array, seed: number): Buffer {
  const bytes = Buffer.alloc(blockHeaderBytes);
  bytes.writeUInt32LE(block.length, 0);
  bytes.writeUInt32LE(crc32c(block, 0, seed), 4);
  return bytes;
}

/**
 * The blocks of a graph up to a position. The bytes of one are good until the next is asked for; meanwhile the graph may
 * take more events.
 */
export function* snapshotBlocks(graph: LineageGraph, position: Position): Generator<Buffer> {
  const records = graph.recordsUpTo(position);
  const labels = graph.labels.labels.map(({ role, relation }) => [role, relation]);
  yield encodeMessagePack([records, graph.kinds.texts, labels]);
  const writer = new VarintWriter(blockBytes * 2);
  for (let number = 0; number < records; number += 1) {
    const id = graph.ids.bytesAt(number);
    writer.number(id.length);
    writer.bytes(id);
    if (writer.length >= blockBytes || number === records - 1) yield writer.take();
  }
  let known = 0;
  for (let at = 1; at <= position; at += 1) {
    const facts = graph.factsAt(at);
    writeFacts(writer, at, facts, facts.record === known);
    if (facts.record === known) known += 1;
    if (writer.length >= blockBytes || at === position) yield writer.take();
  }
}

function writeFacts(
  writer: VarintWriter,
  position: Position,
  { record, kind, withdraws, edges }: NodeFacts,
  isNew: boolean,
): void {
  writer.byte(
    (withdraws === null ? 0 : isInvalidation) |
      (edges === null ? 0 : setsEdges) |
      (kind === null ? 0 : setsKind) |
      (isNew ? isNewRecord : 0),
  );
  if (!isNew) writer.number(record);
  if (kind !== null) writer.number(kind);
  if (withdraws !== null) {
    writer.number(withdraws.from);
    writer.number(withdraws.to);
  }
  if (edges === null) return;
  writer.number(edges.length / 2);
  for (let index = 0; index < edges.length; index += 2) {
    writer.number(position - (edges[index] as number));
    writer.number(edges[index + 1] as number);
  }
}

/** Makes a graph of blocks, given one after the other. */
export class SnapshotDecoder {
  readonly graph: LineageGraph = new LineageGraph();
  readonly #position: Position;
  #records: number | undefined;
  #known = 0;

  constructor(position: Position) {
    this.#position = position;
  }

  get isDone(): boolean {
    return this.#records !== undefined && this.graph.head === this.#position;
  }

  /** @throws `RangeError` for what no graph was written as */
  take(block: Buffer): void {
    if (this.#records === undefined) {
      this.#takeTables(block);
      return;
    }
    const reader = new VarintReader(block);
    while (!reader.isAtEnd) {
      if (this.graph.ids.count < this.#records) {
        this.graph.ids.addBytes(reader.bytes(reader.number()));
      } else {
        this.graph.add(this.#readFacts(reader));
      }
    }
  }

  #takeTables(block: Buffer): void {
    const [records, kinds, labels] = decodeMessagePack(block) as [
      number,
      string[],
      [string | null, Relation][],
    ];
    for (const kind of kinds) this.graph.kinds.numberOf(kind);
    for (const [role, relation] of labels) this.graph.labels.numberOf(role, relation);
    this.#records = records;
  }

  #readFacts(reader: VarintReader): NodeFacts {
    const { graph } = this;
    check(graph.head < this.#position);
    const flags = reader.byte();
    const isNew = (flags & isNewRecord) !== 0;
    const record = isNew ? this.#known : reader.number();
    if (isNew) this.#known += 1;
    check(record < this.#known && this.#known <= graph.ids.count);
    const kind = (flags & setsKind) === 0 ? null : reader.number();
    check(kind === null || kind < graph.kinds.texts.length);
    const isContent = (flags & isInvalidation) === 0;
    const withdraws = isContent ? null : { from: reader.number(), to: reader.number() };
    return { record, kind, withdraws, edges: this.#readEdges(reader, flags) };
  }

  #readEdges(reader: VarintReader, flags: number): number[] | null {
    if ((flags & setsEdges) === 0) return null;
    const edges: number[] = [];
    for (let count = reader.number(); count > 0; count -= 1) {
      const back = reader.number();
      const label = reader.number();
      check(back > 0 && back <= this.graph.head && label < this.graph.labels.labels.length);
      edges.push(this.graph.head + 1 - back, label);
    }
    return edges;
  }
}

function check(holds: boolean): void {
  if (!holds) throw new RangeError("the snapshot does not hold a graph");
}
