/** One run at a time works on a backup: a file with the number of its process says so. */
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { StoreError } from "../errors.ts";
import { isRunning } from "../running.ts";

const lockName = "backup.lock";

/**
 * Takes the lock of a backup; that of a process which has ended is taken over.
 *
 * @returns gives it back
 * @throws `backup-locked`
 */
export async function lockBackup(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, lockName);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const pid = Number(await readFile(path, "utf8").catch(() => ""));
    if (Number.isInteger(pid) && pid > 0 && isRunning(pid)) {
      throw new StoreError("backup-locked", `Process ${pid} works on the backup.`, {
        details: { pid },
      });
    }
    await rm(path, { force: true });
  }
  throw new StoreError("backup-locked", "Another process works on the backup.");
}
