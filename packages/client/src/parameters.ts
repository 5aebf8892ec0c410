/** Writes what a caller asks for as paths and queries, and refuses what would mean something else there. */
import type { AsOf, LineageFilter, Position } from "@sennit/core";
import type { ListQuery } from "@sennit/projections";

import { ClientError } from "./client-error.ts";

/** Values of a query; undefined ones are left out, and lists are given once for each item. */
export type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** A part of an address, with the query that completes it. */
interface PathPart {
  readonly part: string;
  readonly query: Query;
}

/** Parts of a path that would be taken as steps in it. */
const steps: ReadonlySet<string> = new Set([".", ".."]);

/** A ref as a part of an address. @throws `ref-invalid` for what cannot stand in one */
export function refPart(ref: string): PathPart {
  const problem = refProblem(ref);
  if (problem !== undefined) {
    throw new ClientError("ref-invalid", `${JSON.stringify(ref)} is no reference: it ${problem}.`);
  }
  return steps.has(ref) ? { part: "-", query: { ref } } : { part: ref, query: {} };
}

function refProblem(ref: unknown): string | undefined {
  if (typeof ref !== "string") return "must be text";
  if (ref === "") return "must not be empty";
  return ref.isWellFormed()
    ? undefined
    : "must be well-formed Unicode (it holds half of a surrogate pair)";
}

/** A label's name as a part of an address. @throws `label-invalid` for what cannot stand in one */
export function labelPart(name: string): PathPart {
  if (typeof name !== "string" || name === "" || !name.isWellFormed()) {
    throw new ClientError("label-invalid", `${JSON.stringify(name)} cannot be a label.`);
  }
  return steps.has(name) ? { part: "-", query: { name } } : { part: name, query: {} };
}

/** @throws `argument-invalid` for what is no position, which as text could be a label */
export function positionText(name: string, position: Position | undefined): string | undefined {
  if (position === undefined) return undefined;
  if (Number.isSafeInteger(position) && position >= 0) return String(position);
  throw new ClientError("argument-invalid", `${name} must be a position, a whole number from 0.`, {
    details: { argument: name, value: position },
  });
}

/** An instant as text that means the same. @throws `as-of-invalid`, `label-invalid` */
export function instantText(asOf: AsOf): string {
  const { position, time, label }: Partial<Record<"position" | "time" | "label", unknown>> =
    typeof asOf === "object" && asOf !== null ? asOf : {};
  const given = [position, time, label].filter((member) => member !== undefined);
  if (given.length === 1) {
    if (Number.isSafeInteger(position) && Number(position) >= 0) return String(position);
    if (typeof time === "string" && /^\d{4}-\d{2}-\d{2}/.test(time)) return time;
    if (typeof label === "string") return labelText(label);
  }
  throw new ClientError(
    "as-of-invalid",
    "As-of must hold a position, a time or a label, and one of them only.",
  );
}

/** Nothing that is called like this can be a label, and as text it would mean another instant, or none. */
function labelText(label: string): string {
  const isOther =
    label === "" ||
    label.startsWith("-") ||
    !Number.isNaN(Number(label)) ||
    /^\d{4}-\d{2}-\d{2}/.test(label);
  if (!isOther) return label;
  throw new ClientError("label-invalid", `${JSON.stringify(label)} cannot be a label.`, {
    details: { label },
  });
}

/** The parameters of a query in either form. @throws `argument-invalid` for a member that means nothing */
export function listParameters(query: string | ListQuery): Query {
  if (typeof query === "string") return { where: query };
  const { where, kind, tags = {}, status, words, ...others } = query;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new ClientError("argument-invalid", `${unknown} is nothing a query can ask for.`, {
      details: { member: unknown },
    });
  }
  const conditions = Object.entries(tags).map(([key, value]) => [
    `tag.${key}`,
    // In quotes it is a text and nothing else; without them it may mean a number, too.
    typeof value === "object" ? JSON.stringify(value.text) : String(value),
  ]);
  return { where, kind, status, word: words, ...Object.fromEntries(conditions) };
}

/** The edges that are followed. */
export function filterParameters({ roles, relations, kinds }: LineageFilter): Query {
  return { role: roles, relation: relations, kind: kinds };
}
