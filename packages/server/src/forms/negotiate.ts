/** Which form an answer takes: what the caller accepts, by its preference, and what the route can give. */
import { StoreError } from "@sennit/core";

import type { Route } from "../route.ts";

/** The forms of an answer. `own`: the one type that the route makes itself. */
export type AnswerForm = "json" | "ndjson" | "csv" | "messagepack" | "own";

/** Media types by form; the first is the one that is sent. */
export const formTypes: Readonly<Record<Exclude<AnswerForm, "own">, readonly string[]>> = {
  json: ["application/json"],
  ndjson: ["application/x-ndjson", "application/ndjson", "application/jsonl"],
  csv: ["text/csv"],
  messagepack: ["application/vnd.msgpack", "application/msgpack", "application/x-msgpack"],
};

type Offer = readonly [type: string, form: AnswerForm];

/** What a route can give, the default first. */
export function offersOf({ answers, rows }: Pick<Route, "answers" | "rows">): readonly Offer[] {
  const own = Object.values(answers).flatMap(({ contentTypes = [] }) => contentTypes);
  if (own.length > 0) return own.map((type) => [type, "own"]);
  const forms = (["json", "ndjson", "csv", "messagepack"] as const).filter(
    (form) => rows !== undefined || form === "json" || form === "messagepack",
  );
  return forms.flatMap((form) => formTypes[form].map((type) => [type, form] as const));
}

/** One range of an `Accept` header. */
interface Accepted {
  readonly type: string;
  readonly quality: number;
}

/**
 * The form for a request: of what the caller likes best, what the route offers first.
 *
 * @throws `not-acceptable` when the caller accepts none of the offers
 */
export function negotiate(accept: string | undefined, offers: readonly Offer[]): AnswerForm {
  const [first] = offers;
  if (first === undefined || accept === undefined || accept.trim() === "")
    return first?.[1] ?? "json";
  const ranges = parseAccept(accept);
  let best: { readonly form: AnswerForm; readonly quality: number } | undefined;
  for (const [type, form] of offers) {
    const quality = qualityOf(type, ranges);
    if (quality > (best?.quality ?? 0)) best = { form, quality };
  }
  if (best !== undefined) return best.form;
  const types = [...new Set(offers.map(([type]) => type))];
  throw new StoreError("not-acceptable", `None of the accepted forms can be given: ${accept}`, {
    hint: `Accept one of: ${types.join(", ")}`,
    details: { header: "Accept", types },
  });
}

function parseAccept(accept: string): readonly Accepted[] {
  return accept.split(",").flatMap((part) => {
    const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    if (type === "") return [];
    const q = parameters.find((text) => text.startsWith("q="))?.slice(2);
    const quality = q === undefined ? 1 : Number(q);
    return [
      { type: type === "*" ? "*/*" : type, quality: quality >= 0 && quality <= 1 ? quality : 0 },
    ];
  });
}

/** What the most precise range that fits says of a type; 0 when none fits. */
function qualityOf(type: string, ranges: readonly Accepted[]): number {
  const family = `${type.slice(0, type.indexOf("/"))}/*`;
  for (const candidate of [type, family, "*/*"]) {
    const fitting = ranges.filter((range) => range.type === candidate);
    if (fitting.length > 0) return Math.max(...fitting.map(({ quality }) => quality));
  }
  return 0;
}
