/** Finds what is percent-encoded so that it cannot be read: a router and a parser would take it for something else. */
import { StoreError } from "@sennit/core";

/** Characters of what is malformed that are told. */
const toldMax = 24;

/** The first run of percent-encoded bytes in a text that is no UTF-8, or no bytes; undefined when there is none. */
export function malformedIn(text: string): string | undefined {
  for (const [run] of text.matchAll(/(?:%[0-9a-f]{2})+|%.{0,2}/gis)) {
    if (decoded(run) === undefined) return run.slice(0, toldMax);
  }
  return undefined;
}

/** @throws `request-invalid` with a pointer to the parameter whose name or value cannot be read */
export function assertReadableQuery(target: string): void {
  const start = target.indexOf("?");
  if (start === -1 || !target.includes("%", start)) return;
  const query = target.slice(start + 1);
  if (decoded(query) !== undefined) return;
  for (const member of query.split("&")) {
    const malformed = malformedIn(member);
    if (malformed === undefined) continue;
    const [name = ""] = member.split("=");
    const pointer = `/${decoded(name) ?? name}`;
    const message = `holds ${malformed}, which is no percent-encoded UTF-8`;
    throw new StoreError("request-invalid", `In the query, ${pointer.slice(1)} ${message}.`, {
      hint: "Encode names and values as UTF-8; a percent sign is %25.",
      details: { part: "query", issues: [{ pointer, message }] },
    });
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
