// Judges what a store with one flipped bit has answered.

/** What a file of a store is, by its path. The first that fits counts. */
const kinds = [
  [/^(log|views\/[^/]+)\/\d+\.(ldb|sst)$/, "table"],
  [/^(log|views\/[^/]+)\/\d+\.log$/, "write-ahead log"],
  [/^(log|views\/[^/]+)\/MANIFEST-\d+$/, "manifest"],
  [/^(log|views\/[^/]+)\/CURRENT$/, "CURRENT"],
  [/^(log|views)\//, "other"],
];

/** The kind of a file: `log table`, `views manifest`, or its own path. */
export function kindOf(path) {
  const kind = kinds.find(([pattern]) => pattern.test(path))?.[1];
  return kind === undefined ? path : `${path.slice(0, path.indexOf("/"))} ${kind}`;
}

/** Codes beside those of the category `corrupt` that name the damage of a file. */
const codesOfFile = {
  "sennit.json": ["not-a-store", "format-too-new", "key-invalid"],
  "keys/signing-key.pem": ["key-invalid"],
  "keys/verifier-key.txt": ["key-invalid"],
};

/**
 * The verdict on one flip: `crashed`, `wrong`, `detected` (a fitting refusal, or damage the store declares) or `right`.
 *
 * @param path the file with the flipped bit
 * @param truth what the sound store answered
 */
export function judge(path, truth, result) {
  if (result.crashed !== undefined) return { verdict: "crashed", why: [result.crashed] };
  const fits = ({ code, category }) =>
    category === "corrupt" || (codesOfFile[path] ?? []).includes(code);
  if (result.refused !== undefined) {
    if (fits(result.refused)) return { verdict: "detected", codes: [result.refused.code], why: [] };
    return { verdict: "wrong", why: [`open: ${result.refused.message}`] };
  }
  const { damage, answers, refusals } = result;
  const why = [];
  for (const [name, expected] of Object.entries(truth.answers)) {
    const refusal = refusals[name];
    // A store that says it has lost its end knows no later instants, and its present is an earlier one.
    const isLost =
      damage !== undefined && (isOfPresent(name) || laterInstant.includes(refusal?.code));
    if (isLost) continue;
    if (refusal !== undefined && !fits(refusal)) why.push(`${name}: ${refusal.message}`);
    if (refusal === undefined && answers[name] !== expected) why.push(`${name}: another answer`);
  }
  if (why.length > 0) return { verdict: "wrong", why };
  const codes = new Set(Object.values(refusals).map(({ code }) => code));
  if (damage !== undefined) codes.add(damage);
  return { verdict: codes.size > 0 ? "detected" : "right", codes: [...codes], why };
}

/** How a question about an instant after the head is refused. */
const laterInstant = ["as-of-ahead-of-head", "argument-invalid"];

/** Questions that name no instant. */
function isOfPresent(name) {
  return ["head", "verify", "receipt"].includes(name) || name.startsWith("label ");
}
