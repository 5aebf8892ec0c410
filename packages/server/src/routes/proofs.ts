/** Proofs: what the log is, signed, and that something stands in it. */
import { Type } from "typebox";

import { instantOf } from "../instant.ts";
import { defineRoute, type Exchange, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";
import { checkpoint, consistencyProof, inclusionProof, verifierKey } from "../schemas/store.ts";

const sizeParameter = Type.Optional(
  Type.Integer({ ...position, description: "Size of the log. Default: the head." }),
);

/** The size asked for. @throws `as-of-ahead-of-head` */
async function sizeOf(exchange: Exchange, size = exchange.store.head): Promise<number> {
  return (await instantOf(exchange, { "as-of": String(size) })).asOf;
}

function inHex(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => Buffer.from(hash).toString("hex"));
}

const getVerifierKey = defineRoute({
  method: "GET",
  url: "/v1/verifier-key",
  operationId: "getVerifierKey",
  scope: "read",
  summary: "The public key that checks the store's checkpoints",
  tag: "Proofs",
  shape: {},
  answers: { 200: { description: "A C2SP verifier key", schema: verifierKey } },
  problems: [],
  async handle({ store }) {
    return { value: { verifierKey: await store.verifierKey() }, position: store.head };
  },
});

const getCheckpoint = defineRoute({
  method: "GET",
  url: "/v1/checkpoint",
  operationId: "getCheckpoint",
  scope: "read",
  summary: "The size and root of the log, signed with the store's key",
  tag: "Proofs",
  shape: { query: Type.Object({ size: sizeParameter }) },
  answers: { 200: { description: "The checkpoint, and its signed note", schema: checkpoint } },
  problems: [],
  async handle(exchange) {
    const { store } = exchange;
    const size = await sizeOf(exchange, exchange.query.size);
    const note = await store.checkpoint(size);
    const root = store.log.proofs.treeHead(size).root.toString("hex");
    return { value: { size, root, note }, position: size };
  },
});

const getInclusionProof = defineRoute({
  method: "GET",
  url: "/v1/proofs/inclusion",
  operationId: "getInclusionProof",
  scope: "read",
  summary: "The hashes that lead from an event to the root",
  tag: "Proofs",
  shape: {
    query: Type.Object({
      position: Type.Integer({ ...position, minimum: 1, description: "Position of the event." }),
      size: sizeParameter,
    }),
  },
  answers: { 200: { description: "Hashes in hexadecimal", schema: inclusionProof } },
  problems: [],
  async handle(exchange) {
    const { query, store } = exchange;
    const size = await sizeOf(exchange, query.size);
    const hashes = inHex(await store.inclusionProof(query.position, size));
    const value = { position: query.position, size, hashes };
    return { value, position: size, isFixed: query.size !== undefined };
  },
});

const getConsistencyProof = defineRoute({
  method: "GET",
  url: "/v1/proofs/consistency",
  operationId: "getConsistencyProof",
  scope: "read",
  summary: "The hashes that show a log to be the beginning of another",
  tag: "Proofs",
  shape: {
    query: Type.Object({
      from: Type.Integer({ ...position, description: "The smaller size." }),
      to: sizeParameter,
    }),
  },
  answers: { 200: { description: "Hashes in hexadecimal", schema: consistencyProof } },
  problems: [],
  async handle(exchange) {
    const { query, store } = exchange;
    const to = await sizeOf(exchange, query.to);
    const hashes = inHex(await store.consistencyProof(query.from, to));
    const value = { from: query.from, to, hashes };
    return { value, position: to, isFixed: query.to !== undefined };
  },
});

export const proofRoutes: readonly Route[] = [
  getVerifierKey,
  getCheckpoint,
  getInclusionProof,
  getConsistencyProof,
];
