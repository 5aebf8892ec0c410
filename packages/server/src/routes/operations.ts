/** What those who run the server ask it: whether it lives, whether it is ready, and its figures. */
import { Type } from "typebox";

import { defineRoute, type Route } from "../route.ts";

const getHealth = defineRoute({
  method: "GET",
  url: "/healthz",
  operationId: "getHealth",
  scope: "none",
  summary: "Whether the process answers",
  tag: "Operations",
  shape: {},
  answers: { 200: { description: "It does", schema: Type.Object({ status: Type.Literal("ok") }) } },
  problems: [],
  async handle({ store }) {
    return { value: { status: "ok" }, position: store.head };
  },
});

const report = Type.Object({
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String()),
});

const getReadiness = defineRoute({
  method: "GET",
  url: "/readyz",
  operationId: "getReadiness",
  scope: "none",
  summary: "Whether requests are to be sent here",
  tag: "Operations",
  shape: {},
  answers: {
    200: { description: "It is ready", schema: report },
    503: { description: "It is not; the reasons are codes", schema: report },
  },
  problems: [],
  async handle({ readiness, store }) {
    const value = await readiness.report();
    return { value, position: store.head, status: value.ready ? 200 : 503 };
  },
});

const getMetrics = defineRoute({
  method: "GET",
  url: "/metrics",
  operationId: "getMetrics",
  scope: "read",
  summary: "What the server measures, for Prometheus",
  tag: "Operations",
  shape: {},
  answers: {
    200: { description: "Figures as text", schema: Type.String(), contentTypes: ["text/plain"] },
  },
  problems: [],
  async handle({ metrics, store }) {
    const text = await metrics.text();
    return { stream: once(text), contentType: metrics.contentType, position: store.head };
  },
});

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

export const operationRoutes: readonly Route[] = [getHealth, getReadiness, getMetrics];
