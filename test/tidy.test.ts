/** The order of the house: sizes, layers, first lines, links, and nothing left lying about. */
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";

import { expect, test } from "vitest";

import { importsOf } from "./support/imports.ts";
import { anchorOf, linksOf, sectionsOf } from "./support/markdown.ts";
import {
  markdownFiles,
  readText,
  repositoryFiles,
  repositoryRoot,
  sourceFiles,
} from "./support/repository.ts";

const linesMax = 400;
const thisFile = "test/tidy.test.ts";
const sources = sourceFiles();
const typescript = repositoryFiles().filter((path) => path.endsWith(".ts"));

/** What the test helpers and the tests of a package may import beyond its sources is not looked at. */
const isHelper = (path: string) => path.includes("/src/testing/");

/** Places in files that match, as `path:line`. */
function places(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    readText(path)
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
      ),
  );
}

test("there are sources to look at", () => {
  expect(sources).toContain("packages/core/src/index.ts");
  expect(sources).toContain("packages/cli/src/run.ts");
  expect(sources.length).toBeGreaterThan(50);
});

test("no source file is longer than 400 lines", () => {
  const long = sources.filter((path) => readText(path).split("\n").length - 1 > linesMax);
  expect(long).toEqual([]);
});

test("every TypeScript file begins with a sentence on what it is for", () => {
  const without = typescript.filter((path) => {
    const text = readText(path);
    const first = /^\/\*\*\s+(?:\* )?(\S[^\n]*)/.exec(text)?.[1] ?? "";
    return path !== "vitest.config.ts" && !/^[A-Z`]/.test(first);
  });
  expect(without).toEqual([]);
});

test("nothing is put off in a comment", () => {
  const all = repositoryFiles().filter((path) => path !== thisFile && path !== "pnpm-lock.yaml");
  expect(places(all, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
});

test("only the test runner's configuration has a default export", () => {
  const defaults = places(typescript, /^export (default\b|\{[^}]*\bas default\b)/);
  expect(defaults.filter((place) => !place.startsWith("vitest.config.ts:"))).toEqual([]);
});

test("no file names a package registry's host or a directory of somebody's machine", () => {
  const all = repositoryFiles().filter((path) => path !== thisFile);
  expect(
    places(all, /registry\.(npmjs|yarnpkg|npmmirror)|npmmirror|verdaccio|artifactory/i),
  ).toEqual([]);
  expect(
    places(all, /(^|[\s"'`(=:])(file:\/\/)?\/(home|root|Users|work)\/|[A-Z]:\\\\?Users\\/),
  ).toEqual([]);
});

test("imports inside a package name files with their extension, and stay inside it", () => {
  const astray = sources.flatMap((path) => {
    const [group = "", name = ""] = path.split("/");
    const home = group === "packages" ? `packages/${name}/` : `${group}/`;
    return importsOf(readText(path))
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => normalize(join(dirname(path), specifier)))
      .filter(
        (target) =>
          !target.startsWith(home) || !/\.(ts|json)$/.test(target) || !sources.includes(target),
      )
      .map((target) => `${path} imports ${target}`);
  });
  expect(astray).toEqual([]);
});

/** The packages that each may import, and what else it may depend on at run time. */
const packages: Readonly<Record<string, readonly string[]>> = {
  core: ["level", "msgpackr", "rxjs"],
  projections: ["@sennit/core", "level", "msgpackr", "rxjs"],
  server: [
    "@sennit/core",
    "@sennit/projections",
    "@fastify/compress",
    "@fastify/cors",
    "@fastify/swagger",
    "@fastify/swagger-ui",
    "csv-stringify",
    "fastify",
    "jose",
    "msgpackr",
    "prom-client",
    "typebox",
  ],
  client: [],
  cli: ["@sennit/core", "@sennit/projections", "@sennit/client", "@sennit/server"],
};

test("packages import only downwards, and nothing they do not need", () => {
  const names = new Set(
    sources.filter((path) => path.startsWith("packages/")).map((path) => path.split("/")[1]),
  );
  expect(names).toEqual(new Set(Object.keys(packages)));
  const wrong = sources.flatMap((path) => {
    const allowed = packages[path.split("/")[1] ?? ""];
    if (!path.startsWith("packages/") || isHelper(path)) return [];
    const isClient = path.startsWith("packages/client/");
    return (
      importsOf(readText(path))
        // The client needs fetch and nothing else at run time; types leave nothing behind.
        .filter(({ isTypeOnly }) => !isClient || !isTypeOnly)
        .map(({ specifier }) => specifier)
        .filter((specifier) => !specifier.startsWith("."))
        .filter((specifier) => isClient || !specifier.startsWith("node:"))
        .filter(
          (specifier) =>
            !allowed?.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
        )
        .map((specifier) => `${path} imports ${specifier}`)
    );
  });
  expect(wrong).toEqual([]);
});

test("rxjs is imported by sub-module where it stays at run time", () => {
  const whole = sources
    .filter((path) => !isHelper(path))
    .flatMap((path) =>
      importsOf(readText(path))
        .filter(({ specifier, isTypeOnly }) => specifier === "rxjs" && !isTypeOnly)
        .map(() => path),
    );
  expect(whole).toEqual([]);
});

const core = "packages/core/src/";

/** Files that every layer may use. They use one another and nothing else. */
const basics = [
  "abort.ts",
  "assert.ts",
  "clock.ts",
  "errors.ts",
  "ids.ts",
  "limits.ts",
  "running.ts",
  "timestamp.ts",
];

/** The layers of core: each may import itself, the basics and what stands here. */
const layers: Readonly<Record<string, readonly string[]>> = {
  event: [],
  merkle: [],
  checkpoint: [],
  // LevelDB's files carry the same kind of checksum as our own values.
  storage: ["codec/crc32c.ts"],
  // Checksums cover keys, so the codecs know how keys look, and nothing else of the storage.
  codec: ["event/", "merkle/", "storage/keyspace.ts"],
  records: ["event/", "codec/", "storage/"],
  lineage: ["event/", "codec/", "store-directory.ts"],
  log: ["event/", "merkle/", "codec/", "storage/", "records/", "lineage/"],
  ingest: ["event/", "log/"],
  state: ["event/", "merkle/", "codec/", "records/", "lineage/", "log/", "store-directory.ts"],
  read: ["event/", "codec/", "storage/", "records/", "lineage/", "log/", "state/"],
  verify: ["event/", "merkle/", "codec/", "storage/", "records/", "log/"],
  repair: [
    "event/",
    "merkle/",
    "codec/",
    "storage/",
    "records/",
    "log/",
    "verify/",
    "owner-file.ts",
    "store-directory.ts",
  ],
  receipt: ["event/", "merkle/", "checkpoint/", "codec/", "records/", "lineage/", "log/", "read/"],
  transfer: [
    "event/",
    "merkle/",
    "checkpoint/",
    "codec/",
    "storage/",
    "records/",
    "log/",
    "store-directory.ts",
  ],
  backup: [
    "event/",
    "merkle/",
    "checkpoint/",
    "codec/",
    "storage/",
    "records/",
    "log/",
    "transfer/",
    "lock-file.ts",
    "store-directory.ts",
  ],
};

/** The list of what other packages share is no part of the layer it stands in. */
const outsideLayers = ["storage/public.ts"];

test("every folder of core is a layer with a rule", () => {
  const folders = sources
    .filter((path) => path.startsWith(core) && path.slice(core.length).includes("/"))
    .map((path) => path.slice(core.length).split("/")[0]);
  expect(new Set(folders)).toEqual(new Set([...Object.keys(layers), "testing"]));
});

test("layers of core import only downwards", () => {
  const wrong = sources.flatMap((path) => {
    const inside = path.slice(core.length);
    const [layer = ""] = inside.split("/");
    const isBasic = basics.includes(inside);
    if (!path.startsWith(core) || outsideLayers.includes(inside)) return [];
    if (!isBasic && !Object.hasOwn(layers, layer)) return [];
    const allowed = isBasic ? basics : [`${layer}/`, ...basics, ...(layers[layer] ?? [])];
    return importsOf(readText(path))
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => normalize(join(dirname(inside), specifier)))
      .filter((target) => !allowed.some((prefix) => target.startsWith(prefix)))
      .map((target) => `${inside} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("no source imports what is there for tests", () => {
  const wrong = sources
    .filter((path) => !isHelper(path))
    .filter((path) =>
      importsOf(readText(path)).some(({ specifier }) => /(^|\/)testing(\/|$)/.test(specifier)),
    );
  expect(wrong).toEqual([]);
});

test.each(markdownFiles())("%s: every link to a file leads somewhere", (path) => {
  const broken = linksOf(readText(path)).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(repositoryRoot, target))) return true;
    if (anchor === undefined) return false;
    return !sectionsOf(readText(target)).some(({ title }) => anchorOf(title) === anchor);
  });
  expect(broken).toEqual([]);
});

test("every page of the documentation can be reached from its index", () => {
  const linked = new Set(
    linksOf(readText("docs/index.md")).map((link) => normalize(join("docs", link))),
  );
  const pages = markdownFiles().filter(
    (path) => path.startsWith("docs/") && path !== "docs/index.md",
  );
  expect(pages.filter((path) => !linked.has(path))).toEqual([]);
});

/** Paths in backticks: they hold a slash and begin with a folder of the repository. */
function pathsNamedIn(path: string): string[] {
  const folders = "packages|docs|test|benchmarks|scripts|examples|clients";
  return [...readText(path).matchAll(new RegExp(`\`((?:${folders})/[^\`\\s]*)\``, "g"))]
    .map((match) => match[1] ?? "")
    .filter((named) => !/NAME|\*/.test(named));
}

test.each(markdownFiles())("%s: every path it names is there", (path) => {
  const missing = pathsNamedIn(path).filter((named) => !existsSync(join(repositoryRoot, named)));
  expect(missing).toEqual([]);
});

test("ARCHITECTURE.md names every source file, or a folder below src that it stands in", () => {
  const named = pathsNamedIn("ARCHITECTURE.md");
  const unnamed = sources
    .filter((path) => path.startsWith("packages/"))
    .filter(
      (path) =>
        !named.some((name) => path === name || (name.endsWith("/") && path.startsWith(name))),
    );
  expect(named.length).toBeGreaterThan(20);
  expect(unnamed).toEqual([]);
});

test("decisions are numbered without gaps and have the same parts", () => {
  const pages = markdownFiles().filter((path) => path.startsWith("docs/decisions/"));
  for (const [index, path] of pages.entries()) {
    const titles = sectionsOf(readText(path)).map(({ title }) => title);
    expect(path).toContain(`/${String(index + 1).padStart(4, "0")}-`);
    expect(titles.slice(1)).toEqual(["Context", "Decision", "Consequences", "Rejected"]);
    expect(titles[0]).toMatch(new RegExp(`^${index + 1}\\. `));
    expect(readText(path)).toMatch(/^Status: (accepted|superseded by )/m);
  }
});
