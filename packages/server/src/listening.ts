/** Where a server listens: its URL, and why it could not. */
import type { AddressInfo } from "node:net";
import { isIPv6 } from "node:net";

import { StoreError } from "@sennit/core";

import type { Settings } from "./config/settings.ts";

/** Hosts that mean every address of the machine; a URL needs one of them, and this machine reaches the loopback. */
const loopbackOf: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** The URL at which this machine reaches the server. */
export function urlOf({ host, tlsCert }: Settings, { port }: AddressInfo): string {
  const name = loopbackOf[host] ?? host;
  const scheme = tlsCert === undefined ? "http" : "https";
  return `${scheme}://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

/** What is wrong with the address of the settings. */
export function listenError({ host, port }: Settings, cause: unknown): StoreError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: "Stop what listens there, or take a free port: --port 0",
    EACCES: "Take a port from 1024 up, or give the process the right to use this one.",
    EADDRNOTAVAIL: "Name an address of this machine: --host",
    ENOTFOUND: "Name an address of this machine: --host",
  };
  return new StoreError("listen-failed", `Cannot listen at ${host} port ${port}: ${message}`, {
    cause,
    hint: code === undefined ? undefined : hints[code],
    details: { host, port, reason: code ?? null },
  });
}
