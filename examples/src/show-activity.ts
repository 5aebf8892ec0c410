/** Prints what each actor has done in a store: `node examples/dist/show-activity.js [STORE [INSTANT]]`. */
import { actorActivity, readActivity } from "./actor-activity.ts";
import { readAsOf } from "./open-example.ts";

const report = await readAsOf(actorActivity, process.argv.slice(2), readActivity);
console.table(report);
