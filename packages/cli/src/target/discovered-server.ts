/** The server that a store's discovery file names, which may be started anew. */
import { readStoreOwner } from "@sennit/core";

import type { ServerPlace } from "./server-target.ts";

/**
 * A server that is started anew listens elsewhere, maybe, and makes another credential: the file says both. They are taken from
 * it at once, so that the new credential never goes to whoever has the old address by then.
 *
 * @param token that goes with the address
 */
export function discoveredServer(
  directory: string,
  url: string,
  token: string | undefined,
): ServerPlace {
  let current = token;
  return {
    url,
    locate: async () => {
      const owner = await readStoreOwner(directory);
      if (owner?.url !== undefined) current = owner.token ?? current;
      return owner?.url;
    },
    token: token === undefined ? undefined : () => current ?? token,
    directory,
  };
}
