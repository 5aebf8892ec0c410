/** The public API of the client: this list and nothing else. */
export { ClientError } from "./client-error.ts";
export type { HttpReader } from "./http-reader.ts";
export type { IngestOptions } from "./ingest.ts";
export type { RetryOptions } from "./retry.ts";
export { connect, type ConnectOptions, type SennitClient } from "./sennit-client.ts";
export type { Token } from "./transport.ts";
