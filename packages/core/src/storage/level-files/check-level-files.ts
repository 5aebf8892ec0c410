/**
 * Checks the files of a LevelDB directory before LevelDB opens them.
 *
 * LevelDB reads its tables without looking at their checksums, and its compactions give what they have read a new one. A changed
 * bit there hides keys, brings back older values or ends the process, and is past finding once it has been
 * compacted. So every byte is checked while nothing can have used it yet.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Flaw } from "./flaw.ts";
import { readFileList, type LevelFileList } from "./manifest-file.ts";
import { readRecordFile } from "./record-file.ts";
import { findTableFlaw } from "./table-file.ts";

/** What a file is to its database: the name of the manifest, the list of files, sorted keys, or writes not yet in a table. */
type LevelFileKind = "current" | "manifest" | "table" | "wal";

/** A file that was checked. */
export interface LevelFileCheck {
  readonly name: string;
  readonly kind: LevelFileKind;
  /** What is wrong with it. Undefined for a sound file. */
  readonly flaw?: Flaw | undefined;
  /** Where an unfinished last record begins: what a killed process leaves, and what a changed bit in the last record looks like. */
  readonly tornAt?: number | undefined;
}

/**
 * Checks every file that the database in a directory consists of; without a `CURRENT` there is none. Other files are not
 * looked at: LevelDB removes them without reading them. Writes nothing. About a second for two gigabytes in memory.
 *
 * The files must not change meanwhile: while another process has the database open, the answer means nothing.
 *
 * @throws what reading a file throws, but for a file that is not there: that is a flaw
 */
export async function checkLevelFiles(directory: string): Promise<LevelFileCheck[]> {
  const current = await readIfThere(join(directory, "CURRENT"));
  if (current === undefined) return [];
  const manifestName = /^(MANIFEST-\d{6,})\n$/.exec(current.toString("latin1"))?.[1];
  if (manifestName === undefined) {
    return [{ name: "CURRENT", kind: "current", flaw: { offset: 0, reason: "no manifest named" } }];
  }
  const { list, ...manifest } = await checkManifest(directory, manifestName);
  const checks: LevelFileCheck[] = [{ name: "CURRENT", kind: "current" }, manifest];
  if (list === undefined) return checks;
  const names = await readdir(directory);
  checks.push(...(await checkWals(directory, list.oldestWal, names)));
  checks.push(...(await checkTables(directory, list.tables, names)));
  return checks;
}

async function checkManifest(
  directory: string,
  name: string,
): Promise<LevelFileCheck & { readonly list?: LevelFileList }> {
  const bytes = await readIfThere(join(directory, name));
  const kind = "manifest";
  if (bytes === undefined) return { name, kind, flaw: missing };
  const { records, tornAt, flaw } = readRecordFile(bytes);
  if (flaw !== undefined) return { name, kind, flaw };
  try {
    // Nothing is removed before the edit that does without it is synced, so without a torn edit all files are still there.
    return { name, kind, tornAt, list: readFileList(records) };
  } catch {
    return { name, kind, flaw: { offset: 0, reason: "an edit that cannot be read" } };
  }
}

async function checkWals(
  directory: string,
  oldest: number,
  names: readonly string[],
): Promise<LevelFileCheck[]> {
  const numbers = names
    .flatMap((name) => /^(\d{6,})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => number >= oldest);
  if (oldest > 0 && !numbers.includes(oldest)) numbers.push(oldest);
  numbers.sort((a, b) => a - b);
  const checks: LevelFileCheck[] = [];
  let torn: LevelFileCheck | undefined;
  for (const number of numbers) {
    const name = fileName(number, "log");
    const bytes = await readIfThere(join(directory, name));
    const { records, tornAt, flaw } =
      bytes === undefined ? { records: [], flaw: missing } : readRecordFile(bytes);
    if (torn !== undefined && records.length > 0) {
      const offset = torn.tornAt ?? 0;
      checks.push({
        ...torn,
        flaw: { offset, reason: "an unreadable record with others after it" },
      });
      torn = undefined;
    }
    const check: LevelFileCheck = { name, kind: "wal", flaw, tornAt };
    if (tornAt === undefined) checks.push(check);
    else torn = check;
  }
  if (torn !== undefined) checks.push(torn);
  return checks;
}

async function checkTables(
  directory: string,
  tables: ReadonlyMap<number, number>,
  names: readonly string[],
): Promise<LevelFileCheck[]> {
  const there = new Set(names);
  const files = [...tables].map(([number, size]) => {
    const old = fileName(number, "sst");
    return { name: there.has(old) ? old : fileName(number, "ldb"), size };
  });
  const checks: LevelFileCheck[] = [];
  const read = (index: number): Promise<Buffer | undefined> | undefined => {
    const file = files[index];
    // What the file is read for comes a turn later; until then nobody listens to a failure.
    const bytes = file && readIfThere(join(directory, file.name));
    bytes?.catch(() => undefined);
    return bytes;
  };
  let next = read(0);
  for (const [index, { name, size }] of files.entries()) {
    const bytes = await next;
    // The disk brings the next table while this one is looked at.
    next = read(index + 1);
    checks.push({ name, kind: "table", flaw: findFlaw(bytes, size) });
  }
  return checks;
}

function findFlaw(bytes: Buffer | undefined, size: number): Flaw | undefined {
  if (bytes === undefined) return missing;
  if (bytes.length !== size) {
    const offset = Math.min(size, bytes.length);
    return { offset, reason: `has ${bytes.length} bytes instead of ${size}` };
  }
  return findTableFlaw(bytes);
}

const missing: Flaw = { offset: 0, reason: "missing" };

function fileName(number: number, ending: string): string {
  return `${String(number).padStart(6, "0")}.${ending}`;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
