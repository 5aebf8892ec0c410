/** The settings in force: what a program or its flags say, else the environment, else a file, else the default. */
import { StoreError } from "@sennit/core";

import { readSettingsFile } from "./settings-file.ts";
import {
  flagOf,
  settingNames,
  settingTable,
  variableOf,
  type Settings,
  type SomeSettings,
} from "./settings.ts";

/** Where a value came from. */
export type SettingSource = "flag" | "environment" | "file" | "default";

export interface SettingsInput {
  /** Texts by the setting's name (`tlsCert`); switches as booleans, lists as arrays of texts. */
  readonly flags?: Partial<
    Readonly<Record<keyof Settings, string | boolean | readonly string[] | undefined>>
  >;
  /** Default: none; a command passes `process.env`. An empty variable counts as not set. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The path of the file; undefined for none. */
  readonly file?: string | undefined;
}

export interface ResolvedSettings {
  readonly settings: Settings;
  readonly sources: Readonly<Record<keyof Settings, SettingSource>>;
}

/** @throws `setting-invalid`, which says where a wrong value came from; `file-unreadable` */
export async function resolveSettings({
  flags = {},
  environment = {},
  file,
}: SettingsInput): Promise<ResolvedSettings> {
  const stored = file === undefined ? {} : await readSettingsFile(file);
  const settings: Record<string, unknown> = {};
  const sources: Partial<Record<keyof Settings, SettingSource>> = {};
  for (const name of settingNames) {
    const { default: usual } = settingTable[name];
    const flag = flags[name];
    const variable = environment[variableOf(name)];
    let source: SettingSource = "default";
    let value: unknown = usual;
    if (flag !== undefined) {
      source = "flag";
      value = read(name, flag, `flag ${flagOf(name)}`, typeof flag === "string");
    } else if (variable !== undefined && variable !== "") {
      source = "environment";
      value = read(name, variable, `environment variable ${variableOf(name)}`, true);
    } else if (stored[name] !== undefined) {
      source = "file";
      value = read(name, stored[name], `key ${name} of ${file}`, false);
    }
    settings[name] = value;
    sources[name] = source;
  }
  const resolved = settings as unknown as Settings;
  assertTogether(resolved);
  return { settings: resolved, sources: sources as Record<keyof Settings, SettingSource> };
}

/** Settings of a program, where what it does not say is the default. @throws `setting-invalid` */
export function completeSettings(given: SomeSettings): Settings {
  const settings: Record<string, unknown> = {};
  for (const name of settingNames) {
    const value = given[name];
    settings[name] =
      value === undefined ? settingTable[name].default : read(name, value, `option ${name}`, false);
  }
  const complete = settings as unknown as Settings;
  assertTogether(complete);
  return complete;
}

function read(name: keyof Settings, given: unknown, source: string, isText: boolean): unknown {
  const { fromText, fromValue } = settingTable[name];
  try {
    return isText ? fromText(given as string) : fromValue(given);
  } catch (error) {
    const { message } = error as Error;
    throw new StoreError(
      "setting-invalid",
      `The ${source} is ${JSON.stringify(given)}, and must be ${message}.`,
      {
        hint: source.startsWith("flag ") ? "See: sennit help serve" : undefined,
        details: { setting: name, source, value: given },
      },
    );
  }
}

/** Settings that mean something together only. */
const groups: readonly { readonly names: readonly (keyof Settings)[]; readonly why: string }[] = [
  {
    names: ["tlsCert", "tlsKey"],
    why: "A certificate needs its key, and a key its certificate.",
  },
  {
    names: ["tokenIssuer", "tokenAudience", "tokenKeys"],
    why: "To take tokens, the server must know their issuer, its keys, and whom they are made for.",
  },
];

/** @throws `setting-invalid` for settings of which one needs the other */
function assertTogether(settings: Settings): void {
  for (const { names, why } of groups) {
    const missing = names.find((name) => settings[name] === undefined);
    if (missing === undefined || names.every((name) => settings[name] === undefined)) continue;
    throw new StoreError("setting-invalid", why, {
      hint: `Give ${flagOf(missing)}, too.`,
      details: { setting: missing },
    });
  }
}
