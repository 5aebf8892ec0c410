/** A fetch that holds every request and every answer to the server's OpenAPI document. */
import { Contract, type OpenApi } from "./open-api.ts";

/** What was asked, and what was found wrong with it. */
interface Findings {
  readonly operationIds: Set<string>;
  readonly problems: string[];
}

interface CheckingFetch {
  readonly fetch: typeof fetch;
  readonly findings: Findings;
}

/** Answers pass through as they are; those that are read as they come are not read by the check. */
export function checkingFetch(): CheckingFetch {
  const contracts = new Map<string, Promise<Contract>>();
  const findings: Findings = { operationIds: new Set(), problems: [] };
  const contractOf = async (origin: string): Promise<Contract> => {
    const known = contracts.get(origin) ?? loadContract(origin);
    contracts.set(origin, known);
    return known;
  };
  const checked: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const contract = await contractOf(url.origin);
    const method = init?.method ?? "GET";
    const operation = contract.operationFor(method, url.pathname);
    if (operation === undefined) {
      findings.problems.push(`${method} ${url.pathname} is not in the document`);
      return fetch(input, init);
    }
    findings.operationIds.add(operation.operationId);
    const body = init?.body;
    const text =
      body instanceof Uint8Array ? Buffer.from(body).toString() : (body as string | undefined);
    const type = new Headers(init?.headers).get("content-type");
    const asked = contract.requestProblems(operation, url, text, type);
    const response = await fetch(input, init);
    // What is refused may well be what the document does not allow.
    if (response.ok) findings.problems.push(...asked);
    const contentType = response.headers.get("content-type");
    if (contentType?.startsWith("text/event-stream") === true) return response;
    const answer = { status: response.status, contentType, text: await response.clone().text() };
    findings.problems.push(...contract.answerProblems(operation, answer));
    return response;
  };
  return { fetch: checked, findings };
}

/** Reads the document of a server. */
export async function loadContract(origin: string): Promise<Contract> {
  const response = await fetch(`${origin}/openapi.json`);
  return new Contract((await response.json()) as OpenApi);
}
