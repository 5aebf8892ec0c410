/** Receipts: what they prove, and every way in which one that is not true is refused. */
import { expect, test } from "vitest";

import { must } from "../assert.ts";
import { parseVerifierKey, type VerifierKey } from "../checkpoint/signed-note.ts";
import { SigningKey } from "../checkpoint/signing-key.ts";
import { replaced, updated, type NewEvent } from "../event/event.ts";
import { canonicalJson } from "../event/json.ts";
import type { TreeHead } from "../merkle/verify-proof.ts";
import { openMemoryStore } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { make, revise, withdraw } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { makeReceipt, type ReceiptOptions } from "./make-receipt.ts";
import type { Receipt, ReceiptEntry } from "./receipt-format.ts";
import { verifyReceipt } from "./verify-receipt.ts";

/** A receipt as a test changes it. */
type Changeable<T> = T extends object ? { -readonly [K in keyof T]: Changeable<T[K]> } : T;

const key = await SigningKey.generate("log-1");
const { verifierKey } = key;

/** `c` rests on `b@3` and `a@1`; `b@3` was made by the second of two patches, and one event has no part in it. */
const history: readonly NewEvent[] = [
  make("a"),
  make("b", ["a"]),
  make("noise"),
  revise("b", 1),
  revise("b", 2),
  make("c", ["b", "a@1"]),
];

async function storeOf(events: readonly NewEvent[]): Promise<EmbeddedStore> {
  const store = await openMemoryStore();
  await store.append(events);
  return store;
}

/** The receipt of a ref, signed with the key of these tests. */
function receiptOf(
  store: EmbeddedStore,
  ref: string,
  options?: ReceiptOptions,
  signer: SigningKey = key,
): Promise<Receipt> {
  return makeReceipt(store.log, async (size) => checkpointOf(store, size, signer), ref, options);
}

function checkpointOf(store: EmbeddedStore, size: number, signer: SigningKey = key): string {
  const origin = signer.verifierKey.name;
  return signer.signCheckpoint({ origin, ...store.log.proofs.treeHead(size) });
}

/** The code a changed copy of the receipt is refused with; `no error` when it verifies. */
function codeOfChanged(
  receipt: Receipt,
  change: (receipt: Changeable<Receipt>) => void,
  against?: string,
): Promise<string> {
  const changed = structuredClone(receipt) as Changeable<Receipt>;
  change(changed);
  return codeOf(() => verifyReceipt(changed, verifierKey, { against }));
}

async function ownKey(store: EmbeddedStore): Promise<VerifierKey> {
  const parsed = await parseVerifierKey(await store.verifierKey());
  if (parsed === undefined) throw new Error("A store has a verifier key.");
  return parsed;
}

/** Size and root in a form that compares, whatever class the bytes are of. */
function headOf({ size, root }: TreeHead): [size: number, root: string] {
  return [size, Buffer.from(root).toString("hex")];
}

test("a store's receipt verifies with the store's key and proves what a replay answers", async () => {
  const store = await storeOf(history);
  const receipt: unknown = JSON.parse(JSON.stringify(await store.receipt("c")));
  const verified = await verifyReceipt(receipt, await ownKey(store));
  const replay = await store.replay("c");
  expect(verified.digest).toBe(replay.digest);
  expect(verified.decision).toEqual({ recordId: "c", version: 1 });
  expect(headOf(verified.checkpoint)).toEqual(headOf(store.log.proofs.treeHead()));
  expect(verified.closure.map(({ recordId, version }) => `${recordId}@${version}`)).toEqual([
    "a@1",
    "b@3",
    "c@1",
  ]);
  for (const [index, proven] of verified.closure.entries()) {
    const { position, recordedAt, attributes } = replay.closure[index] ?? {};
    expect(proven).toMatchObject({ position, recordedAt, document: { attributes } });
  }
});

test("a receipt holds the events of the closure, and no others", async () => {
  const store = await storeOf([
    ...history,
    replaced("b", { kind: "thing", name: "whole" }),
    revise("b", 3),
    withdraw("b@4"),
    make("d", ["b@6", "b@3"], { allowInvalidSources: true }),
  ]);
  const positions = async (ref: string) =>
    (await receiptOf(store, ref)).entries.map(({ position }) => position);
  expect(await positions("a")).toEqual([1]);
  expect(await positions("c")).toEqual([1, 5, 6]);
  expect(await positions("b@5")).toEqual([8]);
  expect(await positions("d")).toEqual([1, 5, 8, 9, 10]);
  const verified = await verifyReceipt(await receiptOf(store, "d"), verifierKey);
  expect(verified.digest).toBe((await store.replay("d")).digest);
});

test("the receipt of a withdrawn decision is that of its content", async () => {
  const store = await storeOf([...history, withdraw("c")]);
  expect((await receiptOf(store, "c")).decision).toEqual({ recordId: "c", version: 1 });
});

test("a receipt can speak for an earlier size", async () => {
  const store = await storeOf(history);
  const receipt = await receiptOf(store, "b", { size: 4 });
  expect(receipt.decision).toEqual({ recordId: "b", version: 2 });
  expect((await verifyReceipt(receipt, verifierKey)).checkpoint.size).toBe(4);
  expect(await codeOf(() => receiptOf(store, "c", { size: 4 }))).toBe("record-not-found");
  expect(await codeOf(() => receiptOf(store, "c", { size: 7 }))).toBe("argument-invalid");
  expect(await codeOf(() => receiptOf(store, "c", { against: { size: 7 } }))).toBe(
    "argument-invalid",
  );
});

/** The codes of a receipt that proves nothing. */
const refusals: ReadonlySet<string> = new Set([
  "checkpoint-inconsistent",
  "checkpoint-of-another-log",
  "checkpoint-untrusted",
  "receipt-content-invalid",
  "receipt-incomplete",
  "receipt-malformed",
  "receipt-out-of-order",
  "receipt-proof-invalid",
]);

test("every changed byte is refused, or does not change the JSON value", async () => {
  const store = await storeOf([make("a"), revise("a", 1), make("noise"), make("c", ["a"])]);
  const receipt = await receiptOf(store, "c", { against: { size: 3 } });
  const bytes = Buffer.from(JSON.stringify(receipt, undefined, 1));
  const meaning = canonicalJson(receipt);
  let refused = 0;
  let unchanged = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    for (const bit of [1, 4, 32, 128]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ bit;
      let value: unknown;
      try {
        value = JSON.parse(changed.toString("utf8"));
      } catch {
        refused += 1;
        continue;
      }
      if (canonicalJson(value) === meaning) {
        unchanged += 1;
        continue;
      }
      const code = await codeOf(() => verifyReceipt(value, verifierKey));
      expect([at, bit, refusals.has(code)]).toEqual([at, bit, true]);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(bytes.length);
  expect(refused + unchanged).toBe(4 * bytes.length);
}, 60_000);

test("what has not the form of a receipt is malformed", async () => {
  const receipt = await receiptOf(await storeOf(history), "c", { against: { size: 2 } });
  const entry = must(receipt.entries[0], "a receipt has events");
  const { entries, checkpoint, ...rest } = receipt;
  const values: readonly unknown[] = [
    undefined,
    null,
    [],
    "receipt",
    {},
    { ...receipt, more: 1 },
    { ...receipt, format: "other" },
    { ...receipt, version: 2 },
    { ...receipt, decision: { recordId: "c", version: 0 } },
    { ...receipt, decision: { recordId: "c", version: 1, more: 1 } },
    { ...receipt, decision: null },
    { ...rest, checkpoint },
    { ...rest, entries },
    { ...receipt, checkpoint: 7 },
    { ...receipt, consistency: undefined },
    { ...receipt, consistency: { size: 2, proof: [] } },
    { ...receipt, entries: [null] },
    { ...receipt, entries: [{ ...entry, more: 1 }] },
    { ...receipt, entries: [{ ...entry, position: "1" }] },
    { ...receipt, entries: [{ ...entry, header: `${entry.header}=` }] },
    { ...receipt, entries: [{ ...entry, payload: 1 }] },
    { ...receipt, entries: [{ ...entry, proof: ["AAAA"] }] },
  ];
  for (const value of values) {
    const code = await codeOf(() => verifyReceipt(value, verifierKey));
    expect([value, code]).toEqual([value, "receipt-malformed"]);
  }
  for (const moved of [[entry, ...entries], entries.toReversed()]) {
    const code = await codeOf(() => verifyReceipt({ ...receipt, entries: moved }, verifierKey));
    expect(code).toBe("receipt-out-of-order");
  }
});

test("an entry dropped is missed, wherever it stood", async () => {
  const receipt = await receiptOf(await storeOf(history), "c");
  for (const at of receipt.entries.keys()) {
    const code = await codeOfChanged(receipt, ({ entries }) => entries.splice(at, 1));
    expect([at, code]).toEqual([at, "receipt-incomplete"]);
  }
});

test("an event that has no part in the decision is refused, though it is in the log", async () => {
  const store = await storeOf(history);
  const receipt = await receiptOf(store, "c");
  const noise = must((await receiptOf(store, "noise")).entries[0], "a receipt has events");
  const code = await codeOfChanged(receipt, ({ entries }) => {
    entries.splice(1, 0, structuredClone(noise) as Changeable<ReceiptEntry>);
  });
  expect(code).toBe("receipt-malformed");
});

test("a receipt does not grow with the patches before the version", async () => {
  const patches = Array.from({ length: 500 }, (_, value) => revise("a", value));
  const store = await storeOf([make("a"), ...patches]);
  const receipt = await receiptOf(store, "a");
  expect(receipt.entries.map(({ position }) => position)).toEqual([501]);
  const { closure } = await verifyReceipt(receipt, verifierKey);
  expect(closure[0]?.document.attributes).toEqual({ value: 499 });
});

test("the document of a patch must be there, be the one committed to, and belong to a patch", async () => {
  const receipt = await receiptOf(await storeOf(history), "c");
  const [, { document = "" } = {}] = receipt.entries;
  expect(document).not.toBe("");
  const changed = (at: number, value: string | null | undefined) =>
    codeOfChanged(receipt, ({ entries }) => Object.assign(entries[at] ?? {}, { document: value }));
  expect(await changed(1, undefined)).toBe("receipt-incomplete");
  expect(await changed(1, receipt.entries[0]?.payload)).toBe("receipt-content-invalid");
  expect(await changed(0, document)).toBe("receipt-malformed");
});

test("erased content has no document beside it, for nothing proves one", async () => {
  const store = await storeOf(history);
  const [, { document = "" } = {}] = (await receiptOf(store, "c")).entries;
  expect(document).not.toBe("");
  await store.erase(["b@3"], { cause: "private" });
  const receipt = await receiptOf(store, "c");
  const at = receipt.entries.findIndex(({ payload }) => payload === null);
  expect(receipt.entries[at]).not.toHaveProperty("document");
  expect(await codeOfChanged(receipt, () => undefined)).toBe("no error");
  const withDocument = (value: string | null) =>
    codeOfChanged(receipt, ({ entries }) => Object.assign(entries[at] ?? {}, { document: value }));
  expect(await withDocument(document)).toBe("receipt-malformed");
  expect(await withDocument(null)).toBe("receipt-malformed");
});

test("a receipt does not prove another decision than its own", async () => {
  const receipt = await receiptOf(await storeOf(history), "c");
  const decide = (recordId: string, version: number) =>
    codeOfChanged(receipt, (changed) => {
      changed.decision = { recordId, version };
    });
  expect(await decide("b", 3)).toBe("receipt-malformed");
  expect(await decide("b", 4)).toBe("receipt-incomplete");
  expect(await decide("d", 1)).toBe("receipt-incomplete");
});

test("a withdrawal is no decision", async () => {
  const store = await storeOf([
    make("a"),
    withdraw("a"),
    make("c", ["a@2"], { allowInvalidSources: true }),
  ]);
  const receipt = await receiptOf(store, "c");
  const code = await codeOfChanged(receipt, (changed) => {
    changed.decision = { recordId: "a", version: 2 };
    changed.entries.pop();
  });
  expect(code).toBe("receipt-content-invalid");
});

test("content that the header does not commit to is refused, and so are headers and places the log does not hold", async () => {
  const store = await storeOf(history);
  const receipt = await receiptOf(store, "c");
  const other = await receiptOf(await storeOf([make("a"), make("b", ["a"])]), "b");
  const payload = await codeOfChanged(receipt, ({ entries }) => {
    Object.assign(entries[0] ?? {}, { payload: other.entries[0]?.payload });
  });
  expect(payload).toBe("receipt-content-invalid");
  const header = await codeOfChanged(receipt, ({ entries }) => {
    Object.assign(entries[0] ?? {}, { header: other.entries[0]?.header });
  });
  expect(header).toBe("receipt-proof-invalid");
  const moved = await codeOfChanged(receipt, ({ entries }) => {
    Object.assign(entries.at(-1) ?? {}, { position: 7 });
  });
  expect(moved).toBe("receipt-proof-invalid");
  const swapped = await codeOfChanged(receipt, ({ entries }) => {
    const [first, second] = entries;
    const place = first?.position;
    Object.assign(first ?? {}, { ...second, position: place });
  });
  expect(swapped).toBe("receipt-proof-invalid");
  const cut = await codeOfChanged(receipt, ({ entries }) => entries[0]?.proof.pop());
  expect(cut).toBe("receipt-proof-invalid");
});

test("the checkpoint must be signed by the key given, for the log it names", async () => {
  const store = await storeOf(history);
  const receipt = await receiptOf(store, "c");
  const namesake = await SigningKey.generate("log-1");
  const resigned = await receiptOf(store, "c", {}, namesake);
  expect(await codeOf(() => verifyReceipt(resigned, verifierKey))).toBe("checkpoint-untrusted");
  expect(await codeOf(() => verifyReceipt(receipt, namesake.verifierKey))).toBe(
    "checkpoint-untrusted",
  );
  const stranger = key.signCheckpoint({ origin: "log-2", ...store.log.proofs.treeHead() });
  const renamed = await codeOfChanged(receipt, (changed) => {
    changed.checkpoint = stranger;
  });
  expect(renamed).toBe("checkpoint-of-another-log");
  const empty = await codeOfChanged(receipt, (changed) => {
    changed.checkpoint = "";
  });
  expect(empty).toBe("checkpoint-untrusted");
});

test("the signed checkpoint of another log, or of another size, proves nothing here", async () => {
  const store = await storeOf(history);
  const receipt = await receiptOf(store, "c");
  const another = await storeOf(history);
  for (const checkpoint of [checkpointOf(another, 6), checkpointOf(store, 5)]) {
    const code = await codeOfChanged(receipt, (changed) => {
      changed.checkpoint = checkpoint;
    });
    expect(code).toBe("receipt-proof-invalid");
  }
});

test("a receipt made against an older checkpoint proves that the log has only grown since", async () => {
  const store = await storeOf(history);
  for (const size of [0, 1, 2, 3, 4, 5, 6]) {
    const receipt = await receiptOf(store, "c", { against: { size } });
    const against = checkpointOf(store, size);
    const verified = await verifyReceipt(receipt, verifierKey, { against });
    expect(verified.against && headOf(verified.against)).toEqual(
      headOf(store.log.proofs.treeHead(size)),
    );
    expect((await verifyReceipt(receipt, verifierKey)).against).toBeUndefined();
  }
});

test("an older checkpoint that is not the log's beginning is told", async () => {
  const store = await storeOf(history);
  const rewritten = await storeOf([make("a"), make("x"), make("y")]);
  const receipt = await receiptOf(store, "c", { against: { size: 3 } });
  const against = checkpointOf(rewritten, 3);
  const code = (given: string) =>
    codeOf(() => verifyReceipt(receipt, verifierKey, { against: given }));
  expect(await code(against)).toBe("checkpoint-inconsistent");
  const forged = await codeOfChanged(
    receipt,
    ({ consistency }) => {
      const root = rewritten.log.proofs.treeHead(3).root.toString("base64");
      Object.assign(consistency ?? {}, { root });
    },
    against,
  );
  expect(forged).toBe("checkpoint-inconsistent");
  expect(await code(checkpointOf(store, 2))).toBe("checkpoint-inconsistent");
  await store.append([updated("a", { name: "later" })]);
  expect(await code(checkpointOf(store, 7))).toBe("checkpoint-inconsistent");
  const namesake = await SigningKey.generate("log-1");
  expect(await code(checkpointOf(store, 3, namesake))).toBe("checkpoint-untrusted");
});

test("a consistency proof is checked also when no older checkpoint is given", async () => {
  const receipt = await receiptOf(await storeOf(history), "c", { against: { size: 4 } });
  const code = await codeOfChanged(receipt, ({ consistency }) => {
    Object.assign(consistency ?? {}, { root: Buffer.alloc(32).toString("base64") });
  });
  expect(code).toBe("checkpoint-inconsistent");
});

test("proofs grow with the logarithm of the log", async () => {
  const store = await storeOf([make("a"), make("c", ["a"])]);
  const noise = Array.from({ length: 4998 }, (_, index) => make(`n${index}`));
  await store.append(noise);
  await store.append([updated("c", { name: "late" })]);
  const receipt = await receiptOf(store, "c");
  const lengths = receipt.entries.map(({ proof }) => proof.length);
  expect(lengths).toHaveLength(2);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(Math.ceil(Math.log2(store.head)));
  expect((await verifyReceipt(receipt, verifierKey)).closure).toHaveLength(2);
});
