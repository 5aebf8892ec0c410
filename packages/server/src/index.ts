/** The public API of the server: this list and nothing else. */
export { buildServer, type BuildServerOptions } from "./app.ts";
export { startServer, type RunningServer, type StartServerOptions } from "./start.ts";
export type { Scope } from "./route.ts";
