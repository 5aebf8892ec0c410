/** Refuses a LevelDB directory whose files have changed since they were written. */
import { StoreError } from "../../errors.ts";
import { checkLevelFiles, type LevelFileCheck } from "./check-level-files.ts";

/**
 * Returns when LevelDB may open the directory: when all its files are sound, or there is no database yet. Nothing is written to a
 * damaged one. It costs one reading of all files.
 *
 * @param assertUnused throws when somebody has the directory open, without reading the database
 * @throws `file-damaged`, naming file, kind and offset; what `assertUnused` and reading a file throw
 */
export async function refuseDamage(
  directory: string,
  assertUnused: (directory: string) => Promise<void>,
): Promise<void> {
  if ((await findDamaged(directory)) === undefined) return;
  // Whoever has the directory open changes its files under the reader. If nobody has, the second look is the true one.
  await assertUnused(directory);
  const damaged = await findDamaged(directory);
  if (damaged !== undefined) throw damage(directory, damaged);
}

async function findDamaged(directory: string): Promise<LevelFileCheck | undefined> {
  return (await checkLevelFiles(directory)).find(({ flaw }) => flaw !== undefined);
}

function damage(directory: string, { name, kind, flaw }: LevelFileCheck): StoreError {
  const { offset, reason } = flaw ?? { offset: 0, reason: "damaged" };
  return new StoreError(
    "file-damaged",
    `The database in ${directory} is damaged: ${name} (${kind}), at byte ${offset}: ${reason}.`,
    { details: { directory, file: name, kind, offset, reason } },
  );
}
