/** A directory for the copy of a log, which is gone when the work is done, or else when the next work begins. */
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** What the names of those of this machine begin with; the number of the process follows, and something random. */
function prefix(): string {
  return `sennit-backup-${hostname().replaceAll(/[^\w.]/g, "_")}-`;
}

/**
 * Makes a directory that only its owner can read, among the temporary files. Those that processes have left which were killed
 * are removed: what they hold may have been erased since.
 */
export async function makeWorkplace(): Promise<string> {
  await removeLeftovers().catch(() => undefined);
  return mkdtemp(join(tmpdir(), `${prefix()}${process.pid}-`));
}

async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix())) continue;
    const [, digits] = /^(\d+)-[^-]+$/.exec(name.slice(prefix().length)) ?? [];
    if (digits === undefined || isRunning(Number(digits))) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path);
    // Anybody may make a directory of that name among temporary files.
    if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) continue;
    await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
