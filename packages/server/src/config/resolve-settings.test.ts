/** Which value of a setting is in force, and what is said of one that cannot be. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { isStoreError, type StoreError } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { completeSettings, resolveSettings, type SettingsInput } from "./resolve-settings.ts";
import { settingNames, settingTable, type SomeSettings } from "./settings.ts";

async function refusal(attempt: () => unknown): Promise<StoreError> {
  try {
    await attempt();
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "sennit-server.json");
    await writeFile(path, text);
    await use(path);
  });
}

test("a flag wins over the environment, that over the file, and that over the default", async () => {
  await withFile('{ "port": 1, "host": "a", "logLevel": "warn" }', async (file) => {
    const { settings, sources } = await resolveSettings({
      flags: { port: "3" },
      environment: { SENNIT_PORT: "2", SENNIT_HOST: "b" },
      file,
    });
    expect([settings.port, settings.host, settings.logLevel]).toEqual([3, "b", "warn"]);
    expect([sources.port, sources.host, sources.logLevel, sources.idleSeconds]).toEqual([
      "flag",
      "environment",
      "file",
      "default",
    ]);
    expect(settings.idleSeconds).toBe(settingTable.idleSeconds.default);
  });
});

test("a list is several flags, or one text with commas", async () => {
  const corsOrigins = ["https://a.example", "http://b.example:81"];
  const { settings } = await resolveSettings({ flags: { corsOrigins } });
  const environment = {
    SENNIT_CORS_ORIGINS: corsOrigins.join(", "),
    SENNIT_NO_REQUEST_LOG: "true",
  };
  const inEnvironment = await resolveSettings({ environment });
  expect([settings.corsOrigins, inEnvironment.settings.corsOrigins]).toEqual([
    corsOrigins,
    corsOrigins,
  ]);
  expect([settings.noRequestLog, inEnvironment.settings.noRequestLog]).toEqual([false, true]);
});

test("an empty variable counts as not set", async () => {
  const { settings, sources } = await resolveSettings({ environment: { SENNIT_PORT: "" } });
  expect([settings.port, sources.port]).toEqual([4600, "default"]);
});

test.each<[string, SettingsInput, string]>([
  ["a flag", { flags: { port: "many" } }, "flag --port"],
  ["a flag without its value", { flags: { port: true } }, "flag --port"],
  ["a variable", { environment: { SENNIT_PORT: "65536" } }, "environment variable SENNIT_PORT"],
  ["a number in another notation", { environment: { SENNIT_PORT: "0x10" } }, "SENNIT_PORT"],
  ["an origin with a path", { flags: { corsOrigins: ["https://a.example/x"] } }, "--cors-origins"],
  ["a switch that is neither", { environment: { SENNIT_NO_REQUEST_LOG: "yes" } }, "NO_REQUEST_LOG"],
  ["a word that is none", { flags: { logLevel: "loud" } }, "flag --log-level"],
])("%s that cannot be used is refused with its place", async (_what, input, place) => {
  const { code, message } = await refusal(() => resolveSettings(input));
  expect(code).toBe("setting-invalid");
  expect(message).toContain(place);
});

test.each([
  ["a value of another type", '{ "port": "4600" }', "key port of "],
  ["a key that is none", '{ "prot": 4600 }', "perhaps port is meant"],
  ["an array", "[]", "one JSON object"],
  ["no JSON", "port = 4600", "no JSON"],
  ["a key that stands twice", '{ "port": 1, "port": 2 }', "sennit-server.json"],
])("a file with %s is refused with its place", async (_what, text, place) => {
  await withFile(text, async (file) => {
    const { code, message } = await refusal(() => resolveSettings({ file }));
    expect(code).toBe("setting-invalid");
    expect(message).toContain(place);
    expect(message).toContain(file);
  });
});

test("a file that is not there is not taken for an empty one", async () => {
  const { code } = await refusal(() => resolveSettings({ file: "/nowhere/sennit.json" }));
  expect(code).toBe("file-unreadable");
});

test("a certificate without its key is refused", async () => {
  const attempt = () => resolveSettings({ environment: { SENNIT_TLS_CERT: "cert.pem" } });
  expect((await refusal(attempt)).details).toEqual({ setting: "tlsKey" });
});

test("what a program gives is checked as well", async () => {
  expect(completeSettings({ port: 0 })).toEqual({ ...completeSettings({}), port: 0 });
  const wrong = { port: "4600" } as unknown as SomeSettings;
  expect((await refusal(() => completeSettings(wrong))).details).toMatchObject({ setting: "port" });
});

test("every default is a value that may be given", () => {
  const wrong = settingNames.filter((name) => {
    const { default: usual, fromValue } = settingTable[name];
    return usual !== undefined && JSON.stringify(fromValue(usual)) !== JSON.stringify(usual);
  });
  expect(wrong).toEqual([]);
});
