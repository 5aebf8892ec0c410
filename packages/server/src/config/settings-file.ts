/** The file of settings: one JSON object, its keys the names of the settings. */
import { readFile } from "node:fs/promises";

import { isPlainObject, nearest, readJson, StoreError } from "@sennit/core";

import { settingNames, type Settings } from "./settings.ts";

/** @throws `file-unreadable`; `setting-invalid` for what is no JSON object or has other keys */
export async function readSettingsFile(
  path: string,
): Promise<Partial<Readonly<Record<keyof Settings, unknown>>>> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new StoreError("file-unreadable", `Cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  });
  const value = parse(path, text);
  if (!isPlainObject(value)) throw invalid(path, "must hold one JSON object");
  const names: readonly string[] = settingNames;
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    const near = nearest(key, names);
    const guess = near === undefined ? "" : `; perhaps ${near} is meant`;
    throw invalid(path, `has the key ${JSON.stringify(key)}, which is no setting${guess}`);
  }
  return value;
}

function parse(path: string, text: string): unknown {
  let reading;
  try {
    reading = readJson(text);
  } catch (error) {
    throw invalid(path, `is no JSON: ${(error as Error).message}`);
  }
  if (reading.loss !== undefined) throw invalid(path, reading.loss.message);
  return reading.value;
}

function invalid(path: string, what: string): StoreError {
  return new StoreError("setting-invalid", `The settings file ${path} ${what}.`, {
    details: { source: path },
  });
}
