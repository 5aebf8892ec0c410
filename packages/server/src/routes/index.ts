/** Every route, in the order of the document. */
import type { Route } from "../route.ts";
import { eventRoutes } from "./events.ts";
import { recordRoutes } from "./records.ts";

export const allRoutes: readonly Route[] = [...eventRoutes, ...recordRoutes];
