/** Which hosts only this machine reaches. */
import { isIP } from "node:net";

/** True for an address or a name that only this machine can be reached by. */
export function isLoopback(host: string): boolean {
  if (host === "127.0.0.1" || host === "localhost") return true;
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost" || bare === "::1") return true;
  const mapped = /^::ffff:(.*)$/.exec(bare)?.[1] ?? bare;
  return isIP(mapped) === 4 && mapped.startsWith("127.");
}
