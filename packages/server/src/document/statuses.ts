/** What each status means, in the document and in the reference. */
import type { Route } from "../route.ts";

/** Statuses any route may answer with: a request that cannot be right, no or too little credential, too much, trouble. */
const problemsOfAll = [400, 401, 403, 406, 429, 500, 503];

export const problemTitles: Readonly<Record<number, string>> = {
  400: "The request cannot be right",
  401: "No credential, or one that does not count",
  403: "The credential does not allow it",
  404: "It is not there, or was not at that instant",
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

/** Statuses of the problems that a route may answer with, in order. One that is an answer of the route is none of them. */
export function problemStatuses({
  problems,
  scope,
  answers,
}: Pick<Route, "problems" | "scope" | "answers">): number[] {
  const isOpen = scope === "none";
  const ofAll = problemsOfAll.filter((status) => !isOpen || ![401, 403].includes(status));
  return [...new Set([...ofAll, ...problems])]
    .filter((status) => answers[status] === undefined)
    .toSorted((one, other) => one - other);
}
