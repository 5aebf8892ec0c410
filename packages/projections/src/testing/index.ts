/** What writers of projections need for their tests. */
export { givenEvents } from "./given-events.ts";
export { runProjectionContract, type ProjectionHistory } from "./projection-contract.ts";
