/** Where a server listens: its URL, and why it could not. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP, isIPv6, type AddressInfo } from "node:net";
import { hostname } from "node:os";

import { StoreError } from "@sennit/core";

import { isLoopback } from "./access/loopback.ts";
import type { Settings } from "./config/settings.ts";

/** Hosts that mean every address of the machine; a URL needs one of them, and this machine reaches the loopback. */
const loopbackOf: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** The URL at which this machine reaches the server: with a certificate, under a name that it is for, where there is one. */
export async function urlOf({ host, tlsCert }: Settings, { port }: AddressInfo): Promise<string> {
  const name = loopbackOf[host] ?? host;
  if (tlsCert === undefined) return `http://${inUrl(name)}:${port}`;
  const certificate = new X509Certificate(await readFile(tlsCert));
  const names = [
    name,
    ...(isLoopback(name) ? ["localhost"] : []),
    ...(name === host ? [] : [hostname()]),
  ];
  const named = names.find((one) => isFor(certificate, one)) ?? name;
  return `https://${inUrl(named)}:${port}`;
}

function isFor(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  return found !== undefined;
}

function inUrl(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
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
