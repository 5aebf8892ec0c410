/** Whether a path stands in a store's directory, where nothing but the store writes. */
import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

/** Links are followed, but for the last name of the path: a rename replaces a link and not what it leads to. */
export async function isInside(store: string, path: string): Promise<boolean> {
  const parent = await realpath(dirname(path)).catch(() => dirname(path));
  const way = relative(await realpath(store), join(parent, basename(path)));
  return way !== ".." && !way.startsWith(`..${sep}`) && way !== resolve(way);
}
