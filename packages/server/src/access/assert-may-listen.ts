/** Keeps a store from being opened to the world by mistake. */
import { StoreError } from "@sennit/core";

import type { Settings } from "../config/settings.ts";
import { readKeys } from "../keys/key-file.ts";
import { isLoopback } from "./loopback.ts";

/** @throws `setting-invalid` for an address that other machines reach, where nothing says who may do what */
export async function assertMayListen(
  directory: string,
  { host, auth, tokenKeys }: Pick<Settings, "host" | "auth" | "tokenKeys">,
): Promise<void> {
  if (isLoopback(host)) return;
  const details = { setting: "host", value: host };
  if (auth === "off") {
    throw new StoreError(
      "setting-invalid",
      `Without credentials the server listens on this machine only, not at ${host}.`,
      { hint: "Leave out --auth off, or listen at 127.0.0.1.", details },
    );
  }
  if (auth === "on" || tokenKeys !== undefined) return;
  // A file that cannot be read lets nobody in, so there is nothing to be afraid of.
  const count = await readKeys(directory).then(
    (keys = []) => keys.length,
    () => Infinity,
  );
  if (count > 0) return;
  throw new StoreError(
    "setting-invalid",
    `The store has no keys, so the server does not listen at ${host}, where others reach it.`,
    { hint: "Make a key first: sennit keys create NAME --scope read", details },
  );
}
