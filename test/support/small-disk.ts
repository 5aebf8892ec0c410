/** A disk of a few megabytes, for tests of one that fills up. */
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { withTemporaryDirectory } from "@sennit/core/testing";
import type { TestContext } from "vitest";

/** Runs on a disk in memory of that size; skips the test where none can be mounted, which takes root on Linux. */
export async function onSmallDisk(
  context: TestContext,
  bytes: number,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const disk = join(directory, "disk");
    await mkdir(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", disk], {
        stdio: "pipe",
      });
    } catch (error) {
      context.skip(`No small disk can be mounted here: ${String(error).split("\n")[0]}`);
      return;
    }
    try {
      await use(disk);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
}
