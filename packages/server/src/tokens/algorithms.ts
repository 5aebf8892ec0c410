/** How a token may be signed. */

/** Signatures whose keys the issuer alone has. Whoever could check any other kind could make it, too. */
export const tokenAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
