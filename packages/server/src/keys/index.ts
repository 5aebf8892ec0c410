/** Keys of a store without a server: for commands that make and revoke them. */
export {
  createKey,
  listKeys,
  revokeKey,
  type CreateKeyOptions,
  type KeyStatus,
  type KeyView,
} from "./manage-keys.ts";
export { scopes, type Scope } from "../scopes.ts";
