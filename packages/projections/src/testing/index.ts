/** What writers of projections need for their tests. */
export { given, givenEvents, type ExpectedRows, type Scenario } from "./given-events.ts";
export { runProjectionContract, type ProjectionHistory } from "./projection-contract.ts";
