/** Why there was no answer, as far as the runtime tells, and what to do about it. */

export interface ConnectionFailure {
  readonly reason: string;
  /** Undefined where nothing more precise is known than that the server may not run. */
  readonly hint: string | undefined;
}

/** What the system says of a certificate that it does not trust. */
const untrusted = /certificate|CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ALTNAME/i;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (ECONNREFUSED)",
  ENOTFOUND: "there is no host of that name (ENOTFOUND)",
};

/** @param url of the server. @param error of `fetch`, or of reading what it gave */
export function connectionFailure(url: string, error: unknown): ConnectionFailure {
  if (!(error instanceof Error)) return { reason: String(error), hint: undefined };
  const { cause } = error;
  if (!(cause instanceof Error)) return { reason: error.message, hint: undefined };
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (code.startsWith("ERR_SSL_")) {
    const reason = `what answers there does not speak TLS as expected (${code})`;
    return { reason, hint: "A server without TLS is named with http:// instead of https://" };
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(url, cause);
  const reason = reasons[code] ?? (cause.message || code || error.message);
  if (untrusted.test(code)) {
    const hint =
      "A certificate that the system does not know is trusted with NODE_EXTRA_CA_CERTS=FILE: itself, or that of who signed it.";
    return { reason: `its certificate is not trusted (${reason})`, hint };
  }
  if (code === "UND_ERR_SOCKET" && url.startsWith("http:")) {
    const hint =
      "Check that the server runs; one with TLS is named with https:// instead of http://";
    return { reason, hint };
  }
  return { reason, hint: undefined };
}

/** The certificate is another name's, which may be the same server's. */
function wrongName(url: string, cause: object): ConnectionFailure {
  const { hostname, port } = new URL(url);
  const names = namesIn("cert" in cause ? cause.cert : undefined);
  const first = names.find((name) => !name.includes("*")) ?? "NAME";
  const told = names.length === 0 ? "another name" : names.join(", ");
  return {
    reason: `its certificate is for ${told}, and not for ${hostname}`,
    hint: `Name the server as its certificate does: https://${first}${port === "" ? "" : `:${port}`}`,
  };
}

/** The names that a certificate is for, as Node gives them: `DNS:a.example, IP Address:192.0.2.1`. */
function namesIn(certificate: unknown): string[] {
  if (typeof certificate !== "object" || certificate === null) return [];
  if (!("subjectaltname" in certificate)) return [];
  const names = String(certificate.subjectaltname).matchAll(/(?:DNS|IP Address):([^,\s]+)/g);
  return [...names].map(([, name = ""]) => name).slice(0, 10);
}
