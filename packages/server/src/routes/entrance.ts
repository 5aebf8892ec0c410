/** What is at the address of the server itself: for people the page to read, for programs where to go on. */
import { Type } from "typebox";

import { negotiate } from "../forms/negotiate.ts";
import { defineRoute, type Route } from "../route.ts";

/** Relative to the address of the server, which may be a path of a proxy's. */
const page = "docs/";

const links = {
  docs: "/docs",
  openapi: "/openapi.json",
  store: "/v1/store",
  health: "/healthz",
  ready: "/readyz",
} as const;

const getEntrance = defineRoute({
  method: "GET",
  url: "/",
  operationId: "getEntrance",
  scope: "none",
  summary: "Where to go from here",
  tag: "Operations",
  shape: {},
  answers: {
    200: {
      description: "The addresses to go on from",
      schema: Type.Object({
        name: Type.Literal("sennit"),
        links: Type.Record(Type.Enum(Object.keys(links)), Type.String()),
      }),
      contentTypes: ["application/json"],
    },
    303: { description: "To `/docs`, for who would rather have HTML", contentTypes: ["text/html"] },
  },
  problems: [],
  async handle({ reply, request, store }) {
    const form = negotiate(request.headers.accept, [
      ["application/json", "json"],
      ["text/html", "own"],
    ]);
    const headers = { "cache-control": "no-cache", vary: "accept, accept-encoding, origin" };
    if (form === "json") {
      const value = { name: "sennit", links };
      return { value, position: store.head, isShort: true, headers };
    }
    reply
      .code(303)
      .headers({ ...headers, location: page })
      .send();
    return undefined;
  },
});

export const entranceRoutes: readonly Route[] = [getEntrance];
