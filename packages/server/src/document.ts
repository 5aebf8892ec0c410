/** Serves the OpenAPI document, a page to read it in, and one on the errors. Neither needs anything from elsewhere. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

import { docsPolicy } from "./access/security-headers.ts";
import { errorPageHtml } from "./document/error-page.ts";
import { openApiDocument } from "./document/openapi.ts";
import { errorPage } from "./problem.ts";
import { allRoutes } from "./routes/index.ts";

export async function registerDocument(app: FastifyInstance): Promise<void> {
  const document = openApiDocument(allRoutes);
  await app.register(swagger, {
    mode: "static",
    specification: { document: document as never },
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: docsPolicy,
    theme: { title: "Sennit" },
    // Without the bar that asks for the address of another document.
    uiConfig: { layout: "BaseLayout", deepLinking: true },
  });
  app.get("/openapi.json", () => document);
  const html = errorPageHtml();
  app.get(errorPage, (_request, reply) => reply.type("text/html; charset=utf-8").send(html));
}
