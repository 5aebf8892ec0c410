/** What each status means, in the document and in the reference. */
import type { Route } from "../route.ts";

/** Statuses any route may answer with: a request that cannot be right, no or too little credential, too much, trouble. */
const problemsOfAll = [400, 401, 403, 406, 429, 500, 503];

export const problemTitles: Readonly<Record<number, string>> = {
  400: "The request cannot be right",
  401: "No credential, or one that does not count",
  403: "The credential does not allow it",
  404: "It is not there, or was not at that instant",
  405: "The address does not take the method; Allow says which it takes",
  406: "None of the forms asked for can be given",
  409: "The store is in another state than the caller relied on",
  412: "A condition of the request does not hold",
  413: "Too large",
  415: "A body of a type that is not taken",
  429: "Too many requests",
  499: "The caller has gone",
  500: "A defect, or damage of what is stored",
  501: "Not possible here",
  503: "Not at present; try again after Retry-After",
};

/** Parts of a path and parameters that name what may not be there: a label as an instant, for one. */
const naming = ["as-of", "ref"];

/** Of requests that may come with a body, also when the route takes none. */
const bodyProblems = [413, 415];

/** Statuses of the problems that a route may answer with, in order. One that is an answer of the route is none of them. */
export function problemStatuses({
  problems,
  scope,
  method,
  shape,
  answers,
}: Pick<Route, "problems" | "scope" | "method" | "shape" | "answers">): number[] {
  const ofAll =
    scope === "none" ? problemsOfAll.filter((one) => ![401, 403].includes(one)) : problemsOfAll;
  const names = { ...shape.params?.properties, ...shape.query?.properties };
  const isNaming = naming.some((name) => Object.hasOwn(names, name));
  const ofBody = method === "GET" ? [] : bodyProblems;
  const all = [...ofAll, ...problems, ...ofBody, ...(isNaming ? [404] : [])];
  return [...new Set(all)]
    .filter((status) => answers[status] === undefined)
    .toSorted((one, other) => one - other);
}
