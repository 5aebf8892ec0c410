/** Who sends a request, and what that one may do. */
import type { Scope } from "./route.ts";

export interface Caller {
  /** Stored as the actor of what it writes; null when nobody said. */
  readonly actor: string | null;
  readonly scopes: ReadonlySet<Scope>;
}

/** Everybody on this machine, where no credentials are asked for. */
export const localCaller: Caller = {
  actor: null,
  scopes: new Set(["read", "append", "invalidate", "admin"]),
};
