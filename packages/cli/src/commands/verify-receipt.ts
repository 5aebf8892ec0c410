/** `sennit verify-receipt`: checks a receipt with nothing but a public key. */
import { verifyReceipt, type Checkpoint, type VerifiedReceipt } from "@sennit/core";

import { defineCommand } from "../command.ts";
import { plural, printable, type Output } from "../output.ts";
import { readNoteFile, readReceiptFile, readVerifierKey } from "../receipt-files.ts";

export const command = defineCommand({
  name: "verify-receipt",
  summary: "check a receipt, without a store",
  arguments: [{ name: "FILE", help: "What sennit receipt printed" }],
  flags: [
    {
      name: "key",
      type: "string",
      value: "KEY",
      help: "The store's verifier key, or a file that holds it",
    },
    {
      name: "against",
      type: "string",
      value: "FILE",
      help: "Also demand that the log has only grown since this checkpoint of it",
    },
  ],
  examples: [
    "sennit verify-receipt decision-1.json --key verifier-key.txt",
    "sennit verify-receipt decision-1.json --key verifier-key.txt --against march.checkpoint",
  ],
  presentOnly: true,
  async run({ values, out, io }) {
    const given = values.required("key", "Give the key of the store, or a file that holds it.");
    const key = await readVerifierKey(io.cwd, given);
    const path = values.text("against");
    const against = path === undefined ? undefined : await readNoteFile(io.cwd, path);
    const receipt = await readReceiptFile(io.cwd, values.argument(0));
    const verified = await verifyReceipt(receipt, key, { against });
    if (out.isJson) out.json(toJson(verified));
    else print(out, verified);
    return undefined;
  },
});

function toJson({ decision, closure, checkpoint, against, digest }: VerifiedReceipt): unknown {
  return {
    decision,
    digest,
    checkpoint: headJson(checkpoint),
    against: against === undefined ? null : headJson(against),
    closure,
  };
}

function headJson({ origin, size, root }: Checkpoint): unknown {
  return { origin, size, root: hex(root) };
}

function print(
  out: Output,
  { decision, closure, checkpoint, against, digest }: VerifiedReceipt,
): void {
  const ref = printable(`${decision.recordId}@${decision.version}`);
  const decided = closure.at(-1);
  const inputs = closure.slice(0, -1);
  const log = printable(checkpoint.origin);
  out.line(`${out.style("green", "proven")}  ${out.style("bold", ref)}`);
  out.fields([
    ["recorded", decided && `${out.time(decided.recordedAt)} at position ${decided.position}`],
    ["log", `${log}, ${plural(checkpoint.size, "event")}, root ${hex(checkpoint.root)}`],
    ["rested on", plural(inputs.length, "input")],
    ["digest", digest ?? "none: content of it has been erased"],
  ]);
  out.line(`The holder of the key has signed that ${log} holds this decision and its inputs,`);
  out.line("with this content and no other. Nothing that it rested on is left out.");
  const erased = closure.filter(({ isErased }) => isErased);
  if (erased.length > 0) {
    const refs = erased.map(({ recordId, version }) => printable(`${recordId}@${version}`));
    out.line(`Content has been erased, and the log says so: ${refs.join(", ")}.`);
  }
  if (against !== undefined) {
    out.line(`Since its first ${plural(against.size, "event")} the log has only grown.`);
  }
  if (inputs.length === 0) return;
  out.table(
    [
      { title: "INPUT" },
      { title: "KIND" },
      { title: "NAME", flexible: true },
      { title: "POSITION", align: "right" },
    ],
    inputs.map(({ recordId, version, position, document, isErased }) => [
      printable(`${recordId}@${version}`),
      printable(document.kind),
      isErased ? "(erased)" : printable(document.name),
      String(position),
    ]),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
