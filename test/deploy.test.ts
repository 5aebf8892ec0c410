/** The examples of running a server name settings, commands, routes and files that are there. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { settingNames, settingTable, variableOf } from "@sennit/server";
import { expect, test } from "vitest";

import { readText, repositoryRoot } from "./support/repository.ts";
import { program } from "../packages/cli/src/program.ts";
import { allRoutes } from "../packages/server/src/routes/index.ts";

const unit = readText("examples/deploy/sennit.service");
const container = readText("examples/deploy/Containerfile");

/** The values of a directive, in order. */
function directives(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);
}

/** Values of variables of ours that a text sets. */
function variablesIn(text: string): Map<string, string> {
  const found = text.matchAll(/\b(SENNIT_[A-Z_]+)=(\S+)/g);
  return new Map([...found].map(([, name = "", value = ""]) => [name, value]));
}

const settingOf = new Map(settingNames.map((name) => [variableOf(name), settingTable[name]]));

test.each([
  ["the unit", directives("Environment").join("\n")],
  ["the container", container],
])("%s sets variables that there are, to values that can be", (_what, text) => {
  const variables = variablesIn(text);
  expect(variables.has("SENNIT_STORE")).toBe(true);
  variables.delete("SENNIT_STORE");
  expect(variables.size).toBeGreaterThan(1);
  for (const [name, value] of variables) {
    expect([name, settingOf.has(name)]).toEqual([name, true]);
    expect(() => settingOf.get(name)?.fromText(value)).not.toThrow();
  }
});

test("they run commands that there are", () => {
  const commands = [...`${unit}\n${container}`.matchAll(/\bsennit (init|keys|serve)\b/g)];
  expect(commands.length).toBeGreaterThan(3);
  for (const [, name = ""] of commands) expect(Object.keys(program)).toContain(name);
  expect(directives("ExecStart")).toEqual(["/usr/bin/env sennit serve"]);
  expect(container).toContain('CMD ["sennit", "serve"]');
});

test("the unit gives the server more time to stop than it takes", () => {
  const seconds = Number(variablesIn(unit).get("SENNIT_SHUTDOWN_SECONDS"));
  expect(Number(directives("TimeoutStopSec")[0])).toBeGreaterThan(seconds);
});

test("neither runs as root, and the unit takes rights away", () => {
  expect(directives("User")).toEqual(["sennit"]);
  expect(container).toMatch(/^USER node$/m);
  for (const name of ["NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices"]) {
    expect([name, directives(name)]).toEqual([name, ["yes"]]);
  }
  expect(directives("CapabilityBoundingSet")).toEqual([""]);
  expect(directives("ProtectSystem")).toEqual(["strict"]);
});

test("the container asks for a route that needs no credential, at the port it serves", () => {
  const [, port, path] = /http:\/\/127\.0\.0\.1:(\d+)(\/\w+)/.exec(container) ?? [];
  expect(port).toBe(variablesIn(container).get("SENNIT_PORT"));
  expect(container).toMatch(new RegExp(`^EXPOSE ${port}$`, "m"));
  expect(allRoutes.find(({ url }) => url === path)?.scope).toBe("none");
});

test("the command the container links to is the one that is installed", () => {
  const manifest = JSON.parse(readText("packages/cli/package.json")) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  const [, path = ""] = /ln -s \/app\/(\S+)/.exec(container) ?? [];
  expect(manifest.bin["sennit"]).toBe(`./${path}`);
  expect(existsSync(join(repositoryRoot, "packages", "cli", path))).toBe(true);
});
