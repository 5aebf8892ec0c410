/** Labels: names of positions. */
import { created, labelPosition, labelRecordId, StoreError, type LabelSummary } from "@sennit/core";
import { Type } from "typebox";

import { assertMayAppend } from "../caller.ts";
import { asOfQuery, instantOf } from "../instant.ts";
import { defineRoute, type Route } from "../route.ts";
import { labelRequest, labelResult } from "../schemas/new-event.ts";
import { label, labels } from "../schemas/store.ts";

/** The path parameter of a label. */
const labelParams = Type.Object({
  name: Type.String({
    minLength: 1,
    description: "The label, percent-encoded; a minus when `name` is in the query.",
  }),
});

/** The query parameter that takes the place of the one in the path. */
const labelQuery = {
  name: Type.Optional(
    Type.String({
      minLength: 1,
      description: "The label, when the path holds a minus instead, which no label is.",
    }),
  ),
};

/** The name that a request means. @throws `request-invalid` when path and query name one each */
function labelNameOf(
  path: { readonly name: string },
  query: { readonly name?: string | undefined },
): string {
  if (query.name === undefined) return path.name;
  if (path.name === "-") return query.name;
  throw new StoreError("request-invalid", "name stands in the query and in the path.", {
    details: { part: "query", issues: [{ pointer: "/name", message: "stands in the path too" }] },
  });
}

const getLabels = defineRoute({
  method: "GET",
  url: "/v1/labels",
  operationId: "listLabels",
  scope: "read",
  summary: "The labels, in the order of what they name",
  tag: "Labels",
  shape: { query: Type.Object(asOfQuery) },
  answers: { 200: { description: "All labels that are not withdrawn", schema: labels } },
  rows: { member: "labels", columns: ["name", "position"] },
  problems: [404],
  async handle(exchange) {
    const { query, signal } = exchange;
    const instant = await instantOf(exchange, query);
    const found: LabelSummary[] = [];
    const reader = await instant.views();
    for await (const record of reader.records({ kind: "label", status: "valid" }, { signal })) {
      const position = labelPosition(record);
      if (position !== undefined) found.push({ name: record.name, position });
    }
    found.sort((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1));
    return { value: { asOf: instant.asOf, labels: found }, ...instant.said };
  },
});

const getLabel = defineRoute({
  method: "GET",
  url: "/v1/labels/:name",
  operationId: "getLabel",
  scope: "read",
  summary: "The position that a label names",
  tag: "Labels",
  shape: { params: labelParams, query: Type.Object({ ...asOfQuery, ...labelQuery }) },
  answers: { 200: { description: "The label", schema: label } },
  problems: [404],
  async handle(exchange) {
    const { params, query } = exchange;
    const name = labelNameOf(params, query);
    const instant = await instantOf(exchange, query);
    const record = await instant.reader.findRecord(labelRecordId(name));
    const position = record?.status === "valid" ? labelPosition(record) : undefined;
    if (position === undefined) {
      throw new StoreError("label-not-found", `There is no label ${JSON.stringify(name)}.`, {
        details: { label: name },
      });
    }
    return { value: { name, position }, ...instant.said };
  },
});

const putLabel = defineRoute({
  method: "PUT",
  url: "/v1/labels/:name",
  operationId: "setLabel",
  scope: "append",
  summary: "Name a position, or move a name that is there",
  tag: "Labels",
  shape: { params: labelParams, query: Type.Object(labelQuery), body: labelRequest },
  answers: {
    200: { description: "The label has been moved", schema: labelResult },
    201: { description: "The label is new", schema: labelResult },
  },
  problems: [409, 413, 415],
  async handle({ store, caller, params, query, body }) {
    const name = labelNameOf(params, query);
    const { position = store.head } = body;
    // The event is made by the store; this one stands for it.
    const event = created(labelRecordId(name), { kind: "label", name }, { actor: body.actor });
    const [allowed] = await assertMayAppend(caller, [event], store);
    const appended = await store.label(name, position, { actor: allowed?.actor });
    const { recordId, version, position: storedAt } = appended;
    return {
      value: { label: name, position, recordId, version, storedAt, event: appended },
      position: storedAt,
      status: version === 1 ? 201 : 200,
      headers: { location: `/v1/labels/${encodeURIComponent(name)}` },
    };
  },
});

export const labelRoutes: readonly Route[] = [getLabels, getLabel, putLabel];
