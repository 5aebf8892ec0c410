/** Every route, in the order of the document. */
import type { Route } from "../route.ts";
import { adminRoutes } from "./admin.ts";
import { commandRoutes } from "./commands.ts";
import { decisionRoutes } from "./decisions.ts";
import { entranceRoutes } from "./entrance.ts";
import { eventRoutes } from "./events.ts";
import { historyRoutes } from "./history.ts";
import { labelRoutes } from "./labels.ts";
import { lineageRoutes } from "./lineage.ts";
import { logRoutes } from "./log.ts";
import { operationRoutes } from "./operations.ts";
import { projectionRoutes } from "./projections.ts";
import { proofRoutes } from "./proofs.ts";
import { liveRoutes } from "./live.ts";
import { recordRoutes } from "./records.ts";
import { stateRoutes } from "./state.ts";
import { subscriptionRoutes } from "./subscriptions.ts";
import { storeRoutes } from "./store.ts";

export const allRoutes: readonly Route[] = [
  ...storeRoutes,
  ...eventRoutes,
  ...logRoutes,
  ...recordRoutes,
  ...commandRoutes,
  ...historyRoutes,
  ...lineageRoutes,
  ...decisionRoutes,
  ...stateRoutes,
  ...labelRoutes,
  ...proofRoutes,
  ...projectionRoutes,
  ...adminRoutes,
  ...liveRoutes,
  ...subscriptionRoutes,
  ...entranceRoutes,
  ...operationRoutes,
];
