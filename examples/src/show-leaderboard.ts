/** Prints the models of a store by their loss: `node examples/dist/show-leaderboard.js [STORE [INSTANT]]`. */
import { modelLeaderboard, readLeaderboard } from "./model-leaderboard.ts";
import { readAsOf } from "./open-example.ts";

const places = await readAsOf(modelLeaderboard, process.argv.slice(2), readLeaderboard);
console.table(places);
