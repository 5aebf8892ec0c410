/** The embedded log on both storages under one contract. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openLevelStorage } from "../storage/level-storage.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import { runLogContract } from "../testing/log-contract.ts";
import { EmbeddedLog } from "./embedded-log.ts";

runLogContract("memory", async (clock) => ({
  log: await EmbeddedLog.open(openMemoryStorage(), clock),
  remove: async () => {},
}));

runLogContract("level", async (clock) => {
  const directory = await mkdtemp(join(tmpdir(), "sennit-"));
  const open = async (): Promise<EmbeddedLog> =>
    EmbeddedLog.open(await openLevelStorage(directory), clock);
  let log = await open();
  return {
    log,
    reopen: async () => {
      await log.close();
      log = await open();
      return log;
    },
    remove: () => rm(directory, { recursive: true }),
  };
});
