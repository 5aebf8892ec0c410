/**
 * Verifiers for who has no store: `@sennit/core/proofs`. Nothing here needs Node; a browser has all of it.
 *
 * `Store.inclusionProof` and `Store.consistencyProof` make what is verified, `Store.checkpoint` signs the roots.
 */
export {
  openCheckpoint,
  parseVerifierKey,
  type Checkpoint,
  type VerifierKey,
} from "./checkpoint/signed-note.ts";
export {
  hashLeaf,
  verifyConsistency,
  verifyInclusion,
  type TreeHead,
} from "./merkle/verify-proof.ts";
