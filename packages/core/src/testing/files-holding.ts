/** Looks for a text in files, as somebody would who wants to know whether it is really gone. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The files in a directory and all below it that hold the text's bytes. */
export async function filesHolding(directory: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    if ((await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}
