/** Projections: how far the read models are. */
import { describeProjection } from "@sennit/projections";

import { defineRoute, type Route } from "../route.ts";
import { projections } from "../schemas/store.ts";

const getProjections = defineRoute({
  method: "GET",
  url: "/v1/projections",
  operationId: "listProjections",
  scope: "read",
  summary: "How far the read models are",
  tag: "Projections",
  shape: {},
  answers: { 200: { description: "All of them, built-in ones first", schema: projections } },
  rows: {
    member: "projections",
    columns: ["name", "version", "state", "position", "head", "lag", "stateHash", "failure"],
  },
  problems: [],
  async handle({ views, store }) {
    const all = views.names.map((name) => describeProjection(views.progress(name)));
    return { value: { projections: all }, position: store.head };
  },
});

export const projectionRoutes: readonly Route[] = [getProjections];
