/** Turns a term of a query into the condition it states. */
import { parseRef } from "@sennit/core";

import { searchFields, type Operator } from "./fields.ts";
import {
  acceptText,
  acceptValue,
  beside,
  instantsIn,
  interval,
  joined,
  numberIn,
  piecesOf,
  rangeEnds,
} from "./literal.ts";
import { queryError, type Place, type QueryProblem } from "./query-error.ts";
import type { Accepts, SearchNode } from "./search-query.ts";
import { listStatuses } from "./status.ts";
import type { FieldToken } from "./tokens.ts";

type OrderOperator = "<" | "<=" | ">" | ">=";

/** The condition that a term states. @throws `query-invalid` */
export function termNode(query: string, token: FieldToken): SearchNode {
  const { field, path, operator } = token;
  if (operator === undefined) return { type: "field", field, path, isOther: false, accepts: any };
  const refuse = (place: Place, problem: QueryProblem) => queryError(query, place, problem);
  const { operators, value } = searchFields[field];
  if (!operators.includes(operator.text))
    throw refuse(operator, operatorProblem(token, operator.text));
  if (token.parts.length === 0) {
    throw refuse(token.value, {
      problem: `${[field, ...path].join(".")}${operator.text} has no value`,
      expected: expectedValue[value],
    });
  }
  const accepts = readers[value](token, operator.text, (problem) =>
    refuse(token.value, { expected: expectedValue[value], ...problem }),
  );
  const isOther = operator.text === "!=";
  const test: SearchNode = { type: "field", field, path, isOther: false, accepts };
  // A stale record is valid too, so that "another status" has to mean: not this one.
  if (isOther && field === "status") return { type: "not", part: test };
  return { ...test, isOther };
}

const any: Accepts = { type: "any" };

const expectedValue = {
  text: "a text, in double quotes if it holds spaces",
  value: "a number, true, false or a text, in double quotes if it holds spaces",
  status: `one of ${listStatuses.join(", ")}`,
  time: "a date such as 2026-03-01, or an RFC 3339 time such as 2026-03-01T10:00:00Z",
  count: "a whole number from 0",
  ref: "ID, ID@VERSION or KIND/NAME",
} as const;

function operatorProblem({ field, path }: FieldToken, operator: Operator): QueryProblem {
  const { operators } = searchFields[field];
  const isMany = field === "uri" || field === "from";
  return {
    problem: `${[field, ...path].join(".")} cannot be compared with ${operator}`,
    expected: `one of ${operators.join(" ")}`,
    ...(isMany &&
      operator === "!=" && {
        hint: `A record has several: write -${field}:VALUE for records without this one.`,
      }),
  };
}

type Refuse = (problem: Omit<QueryProblem, "expected"> & { readonly expected?: string }) => Error;
type Reader = (token: FieldToken, operator: Operator, refuse: Refuse) => Accepts;

const readers: Readonly<Record<keyof typeof expectedValue, Reader>> = {
  text: ({ parts }) => acceptText(parts),
  value: readValue,
  status: readStatus,
  time: readTime,
  count: readCount,
  ref: readRef,
};

function isOrder(operator: Operator): operator is OrderOperator {
  return operator !== ":" && operator !== "=" && operator !== "!=";
}

function readValue({ parts }: FieldToken, operator: Operator, refuse: Refuse): Accepts {
  const { text, isQuoted } = joined(parts);
  if (text === ".." && !isQuoted) {
    throw refuse({
      problem: "a range without ends is no value",
      hint: 'Give the range an end, as in 1.. or ..2, or write ".." in double quotes for the text.',
    });
  }
  if (!isOrder(operator)) return acceptValue(parts);
  if (piecesOf(parts).length > 1) {
    throw refuse({ problem: `a pattern has no order, so ${operator} cannot be used with it` });
  }
  if (isQuoted) return beside(operator, text, text);
  if (text === "true" || text === "false" || text === "null") {
    throw refuse({ problem: `${text} has no order, so ${operator} cannot be used with it` });
  }
  const number = numberIn(text);
  if (number !== undefined) return beside(operator, number, number);
  if (!Number.isNaN(Number(text)) || /^-?\d*\.\.-?\d/.test(text)) {
    throw refuse({
      problem: `${JSON.stringify(text)} is no number as JSON has it`,
      hint: `Write the number with a digit on either side of its point and no zeros before it, or "${text}" for the text.`,
    });
  }
  return beside(operator, text, text);
}

function readStatus({ parts }: FieldToken, _operator: Operator, refuse: Refuse): Accepts {
  const { text } = joined(parts);
  if (listStatuses.some((status) => status === text)) return { type: "equal", text };
  throw refuse({ problem: `${JSON.stringify(text)} is no status` });
}

function readTime(token: FieldToken, operator: Operator, refuse: Refuse): Accepts {
  return readRange(token, operator, refuse, "time", instantsIn);
}

function readCount(token: FieldToken, operator: Operator, refuse: Refuse): Accepts {
  return readRange(token, operator, refuse, "whole number", (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(number) ? [number, number] : undefined;
  });
}

function readRange(
  { parts }: FieldToken,
  operator: Operator,
  refuse: Refuse,
  what: string,
  read: (text: string) => readonly [first: number, last: number] | undefined,
): Accepts {
  const { text } = joined(parts);
  const required = (part: string): readonly [number, number] => {
    const value = read(part);
    if (value === undefined) throw refuse({ problem: `${JSON.stringify(part)} is no ${what}` });
    return value;
  };
  const ends = isOrder(operator) ? undefined : rangeEnds(text);
  if (ends !== undefined) {
    const [from, to] = ends.map((end) => (end === "" ? undefined : required(end)));
    return interval(from?.[0], to?.[1]);
  }
  const [first, last] = required(text);
  return isOrder(operator) ? beside(operator, first, last) : interval(first, last);
}

function readRef({ parts }: FieldToken, _operator: Operator, refuse: Refuse): Accepts {
  if (piecesOf(parts).length > 1) {
    throw refuse({ problem: "a source is named whole, without a star outside quotes" });
  }
  const { text } = joined(parts);
  try {
    const { target, version } = parseRef(text);
    return { type: "source", ref: target, ...(version !== undefined && { version }) };
  } catch {
    throw refuse({ problem: `${JSON.stringify(text)} is no reference` });
  }
}
