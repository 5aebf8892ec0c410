/** The public API of the client: this list and nothing else. */
export { ClientError } from "./client-error.ts";
