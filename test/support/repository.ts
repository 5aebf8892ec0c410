/** The files of this repository, as the tests that keep it in order see them. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory of the repository. */
export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The text of a file, named from the repository's root. */
export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

/** Every file that `.gitignore` does not leave out, named from the root with `/`, sorted. */
export function repositoryFiles(): readonly string[] {
  const patterns = readText(".gitignore")
    .split("\n")
    .filter((line) => line !== "");
  const isIgnored = (name: string) =>
    name === ".git" ||
    patterns.some((pattern) =>
      pattern.startsWith("*")
        ? name.endsWith(pattern.slice(1))
        : name === pattern.replace(/\/$/, ""),
    );
  const walk = (directory: string): string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      if (isIgnored(entry.name)) return [];
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() ? [relative(repositoryRoot, path).split(sep).join("/")] : [];
    });
  return walk(repositoryRoot).toSorted();
}

/** TypeScript sources without tests and their helpers. */
export function sourceFiles(): readonly string[] {
  return repositoryFiles().filter(
    (path) =>
      /^(packages|benchmarks|examples)\/.*\.ts$/.test(path) && !/\.test(-d)?\.ts$/.test(path),
  );
}

/** Every Markdown file of the project. */
export function markdownFiles(): readonly string[] {
  return repositoryFiles().filter((path) => path.endsWith(".md"));
}
