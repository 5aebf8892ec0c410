/** Logs that no Sennit has written: well signed and well proven, and still refused. */
import { expect, test } from "vitest";

import { encodeBase64 } from "../checkpoint/base64.ts";
import { SigningKey } from "../checkpoint/signing-key.ts";
import { encodeEntry, type Entry } from "../codec/entry.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { entryFormat } from "../codec/upcast.ts";
import { leafHash } from "../merkle/hashing.ts";
import { eventId } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { foldClosure, type ProvenEntry } from "./fold-closure.ts";
import { verifyReceipt } from "./verify-receipt.ts";

const key = await SigningKey.generate("log-1");

function creation(
  position: number,
  recordId: string,
  version: number,
  source?: { readonly recordId: string; readonly version: number },
): Entry {
  const edges =
    source === undefined ? [] : [{ ...source, role: null, relation: "wasDerivedFrom" as const }];
  const header = {
    position,
    recordedAtUs: position,
    origin: "given" as const,
    id: eventId(position),
    recordId,
    version,
    structure: { type: "record.created" as const, kind: "thing", edges },
  };
  return encodeEntry(header, { data: { name: recordId } }, Buffer.alloc(16)).entry;
}

function asProven(entry: Entry): ProvenEntry {
  return { entry, document: undefined };
}

/** The code that the receipt of a log with one event is refused with; `no error` when it verifies. */
function codeOfOnlyEvent(header: Uint8Array, payload: Uint8Array): Promise<string> {
  const head = { origin: "log-1", size: 1, root: leafHash(header) };
  const receipt = {
    format: "sennit-receipt",
    version: 1,
    decision: { recordId: "a", version: 1 },
    entries: [
      { position: 1, header: encodeBase64(header), payload: encodeBase64(payload), proof: [] },
    ],
    checkpoint: key.signCheckpoint(head),
    consistency: null,
  };
  return codeOf(() => verifyReceipt(receipt, key.verifierKey));
}

test("a log of one honest event is accepted, so the refusals below have their reason", async () => {
  const { headerBytes, payloadBytes } = creation(1, "a", 1);
  expect(await codeOfOnlyEvent(headerBytes, payloadBytes)).toBe("no error");
});

test("bytes that are no event are refused as content", async () => {
  const { headerBytes, payloadBytes } = creation(1, "a", 1);
  const headers = [
    Buffer.alloc(0),
    Buffer.from("c1", "hex"),
    encodeMessagePack(null),
    encodeMessagePack({}),
    encodeMessagePack([1, 1]),
    encodeMessagePack([1, 1, 1, 1, 0, Buffer.alloc(16), "a", 1, null, Buffer.alloc(32)]),
    headerBytes.subarray(0, -1),
    creation(2, "a", 1).headerBytes,
  ];
  for (const header of headers) {
    expect([header, await codeOfOnlyEvent(header, payloadBytes)]).toEqual([
      header,
      "receipt-content-invalid",
    ]);
  }
});

test("an event of a newer format says so", async () => {
  const header = encodeMessagePack([entryFormat + 1, 1]);
  expect(await codeOfOnlyEvent(header, Buffer.alloc(0))).toBe("format-too-new");
});

test("a record that has a version twice, or an earlier one later, is refused", async () => {
  const c = { recordId: "c", version: 1 };
  const twice = [
    creation(1, "a", 1),
    creation(2, "a", 1),
    creation(3, "c", 1, { recordId: "a", version: 1 }),
  ];
  const fallen = [
    creation(1, "a", 2),
    creation(2, "a", 1),
    creation(3, "c", 1, { recordId: "a", version: 1 }),
  ];
  expect(await codeOf(async () => foldClosure(twice.map(asProven), c))).toBe(
    "receipt-content-invalid",
  );
  expect(await codeOf(async () => foldClosure(fallen.map(asProven), c))).toBe(
    "receipt-content-invalid",
  );
});

test("a version that rests on itself, or on what came after it, is refused", async () => {
  const a = { recordId: "a", version: 1 };
  expect(await codeOf(async () => foldClosure([creation(1, "a", 1, a)].map(asProven), a))).toBe(
    "receipt-content-invalid",
  );
  const b = { recordId: "b", version: 1 };
  const later = [creation(1, "a", 1, b), creation(2, "b", 1)];
  expect(await codeOf(async () => foldClosure(later.map(asProven), a))).toBe(
    "receipt-content-invalid",
  );
});
