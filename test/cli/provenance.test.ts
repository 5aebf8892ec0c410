/** Lineage, impact, staleness and replay on the command line: shapes, drawings, files, verdicts. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { creation, ndjson, withShell, type Json, type Shell } from "./support.ts";

/** A diamond: a, then b and c from a, then d from b and c; and its decision e. */
async function diamond(shell: Shell): Promise<void> {
  await shell.text("create", "config", "start", "--id", "a");
  await shell.text("create", "step", "left", "--id", "b", "--from", "a:input");
  await shell.text("create", "step", "right", "--id", "c", "--from", "a");
  await shell.text("create", "result", "join", "--id", "d", "--from", "b", "--from", "c");
  await shell.text("create", "decision", "go", "--id", "e", "--from", "d");
}

async function chain(shell: Shell, length: number): Promise<void> {
  const events = Array.from({ length }, (_, index) =>
    creation(`r${index}`, index === 0 ? [] : [`r${index - 1}`]),
  );
  await shell.run(["ingest", "-"], { input: ndjson(events) });
}

test("lineage answers breadth first in the documented shape, up and down, to a depth", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    const up = await shell.json("lineage", "d");
    expect(up).toEqual({
      of: { recordId: "d", version: 1 },
      direction: "ancestors",
      asOf: 5,
      nodes: [
        { recordId: "b", version: 1, kind: "step", name: "left", status: "valid", depth: 1 },
        { recordId: "c", version: 1, kind: "step", name: "right", status: "valid", depth: 1 },
        { recordId: "a", version: 1, kind: "config", name: "start", status: "valid", depth: 2 },
      ],
      edges: expect.any(Array) as Json,
    });
    expect(up["edges"]).toHaveLength(4);
    expect(up["edges"]).toContainEqual({
      derived: { recordId: "b", version: 1 },
      source: { recordId: "a", version: 1 },
      role: "input",
      relation: "wasDerivedFrom",
    });
    expect(await shell.json("lineage", "d", "--up")).toEqual(up);
    const down = await shell.json("lineage", "a", "--down");
    const names = (down["nodes"] ?? []).map(({ recordId, depth }) => [recordId, depth]);
    expect(down["direction"]).toBe("descendants");
    expect(names).toEqual([
      ["b", 1],
      ["c", 1],
      ["d", 2],
      ["e", 3],
    ]);
    const shallow = await shell.json("lineage", "a", "--down", "--depth", "1");
    expect((shallow["nodes"] ?? []).map(({ recordId }) => recordId)).toEqual(["b", "c"]);
  });
});

test("the tree unfolds a diamond once and names its top again", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    expect(await shell.text("lineage", "e")).toBe(
      [
        'e@1  decision "go"',
        '└─ d@1  result "join"',
        '   ├─ b@1  step "left"',
        '   │  └─ a@1  config "start"  (input)',
        '   └─ c@1  step "right"',
        '      └─ a@1  config "start"  (see above)',
        "",
      ].join("\n"),
    );
    await shell.text("invalidate", "c", "--cause", "wrong", "--no-cascade");
    expect(await shell.text("lineage", "d")).toContain('└─ c@1  step "right"  invalid\n');
  });
});

test("a chain of 3000 is a tree, a drawing and a replay, each of it whole", async () => {
  await withShell(async (shell) => {
    await chain(shell, 3000);
    const tree = (await shell.text("lineage", "r2999")).trimEnd().split("\n");
    expect(tree).toHaveLength(3000);
    expect(Math.max(...tree.map((line) => line.length))).toBeLessThan(120);
    expect(tree.at(-1)).toContain('[2999] r0@1  thing "r0"');
    const down = (await shell.text("lineage", "r0", "--down")).trimEnd().split("\n");
    expect(down.at(-1)).toContain("r2999@1");
    const dot = await shell.text("lineage", "r2999", "--format", "dot");
    expect(dot.match(/ -> /g)).toHaveLength(2999);
    const mermaid = await shell.text("lineage", "r2999", "--format", "mermaid");
    expect(mermaid.match(/ --> /g)).toHaveLength(2999);
    expect((await shell.json("replay", "r2999"))["closure"]).toHaveLength(3000);
    expect((await shell.json("impact", "r0"))["withdrawn"]).toHaveLength(3000);
    const fall = (await shell.text("invalidate", "r0", "--cause", "wrong")).split("\n");
    expect(fall.length).toBeLessThan(30);
    expect(fall[1]).toContain("2999 records");
  });
});

test("mermaid and dot carry any name without breaking out of it", async () => {
  await withShell(async (shell) => {
    const name = '"]; x --> y["&<b>\\" %% end';
    await shell.text("create", "thing", name, "--id", 'q"]\\');
    await shell.text("create", "thing", "plain", "--id", "p", "--from", 'q"]\\:"|role]');
    const mermaid = (await shell.text("lineage", "p", "--format", "mermaid")).split("\n");
    expect(mermaid).toHaveLength(6);
    expect(mermaid[0]).toBe("flowchart TD");
    expect(mermaid[2]).toMatch(/^ {2}n1\["[^"]*"\]$/);
    expect(mermaid[2]).toContain("&quot;]; x --&gt; y[&quot;&amp;&lt;b&gt;");
    expect(mermaid[3]).toMatch(/^ {2}n1 -- "[^"]*" --> n0$/);
    const dot = (await shell.text("lineage", "p", "--format", "dot")).split("\n");
    expect(dot).toHaveLength(7);
    expect(dot[3]).toMatch(/^ {2}n1 \[label="(?:[^"\\]|\\.)*"\];$/);
    expect(dot[4]).toMatch(/^ {2}n1 -> n0 \[label="(?:[^"\\]|\\.)*"\];$/);
  });
});

test("withdrawn versions are marked in every drawing", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    await shell.text("invalidate", "a", "--cause", "wrong");
    const mermaid = await shell.text("lineage", "d", "--format", "mermaid");
    expect(mermaid.match(/:::invalid/g)).toHaveLength(4);
    const dot = await shell.text("lineage", "d", "--format", "dot");
    expect(dot.match(/color="red"/g)).toHaveLength(4);
  });
});

test("impact names each record once, how it falls, and the actions it would call", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "action", "mail", "--id", "act-1");
    await shell.text("create", "config", "start", "--id", "a", "--on-invalidate", "act-1");
    await shell.text(
      "create",
      "step",
      "left",
      "--id",
      "b",
      "--from",
      "a",
      "--on-invalidate",
      "act-2",
    );
    expect(await shell.json("impact", "a")).toEqual({
      of: { recordId: "a", version: null },
      asOf: 3,
      withdrawn: [
        { recordId: "a", versions: { from: 1, to: 1 }, kind: "config", name: "start", via: null },
        {
          recordId: "b",
          versions: { from: 1, to: 1 },
          kind: "step",
          name: "left",
          via: { recordId: "a", version: 1 },
        },
      ],
      actions: [
        { recordId: "a", actionId: "act-1", verdict: "known" },
        { recordId: "b", actionId: "act-2", verdict: "unknown" },
      ],
    });
    expect(await shell.json("impact", "b@1")).toMatchObject({ of: { recordId: "b", version: 1 } });
    expect(await shell.text("impact", "b")).toMatch(
      /^would withdraw the record itself and nothing else\n/,
    );
    expect(await shell.text("impact", "a")).toMatch(/ 1 record that rests on it\n/);
  });
});

test("stale names what rests on an old version, and only while it does", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    await shell.text("update", "a", "--tag", "note=1");
    expect(await shell.json("stale")).toMatchObject({ records: [], outdated: [] });
    await shell.text("update", "a", "--set", "attributes.x=1");
    const stale = await shell.json("stale");
    expect(
      (stale["outdated"] as readonly Json[]).map(({ record, now }) => [record?.["recordId"], now]),
    ).toEqual([
      ["b", 3],
      ["c", 3],
    ]);
    expect(await shell.json("show", "b")).toMatchObject({ status: "valid", stale: true });
    expect(await shell.json("show", "d")).toMatchObject({ status: "valid", stale: false });
    await shell.text("update", "b", "--from", "a");
    expect((await shell.json("stale"))["outdated"]).toMatchObject([
      { record: { recordId: "c" } },
      { record: { recordId: "d" } },
    ]);
    expect(await shell.text("stale")).toMatch(
      /^RECORD +KIND +NAME +RESTS ON +NOW AT\nc@1 +step +right +a@1 +@3\n/,
    );
  });
});

test("replay gives the closure, sources first, and a verdict on each input", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    const before = await shell.json("replay", "e");
    expect(Object.keys(before).toSorted()).toEqual(
      ["closure", "decidedAt", "decision", "digest", "edges", "verdicts"].toSorted(),
    );
    expect(before).toMatchObject({ decidedAt: 5, decision: { id: "e", version: 1 } });
    const ids = (before["closure"] as readonly Json[]).map(({ id }) => id);
    expect(ids).toHaveLength(5);
    expect(ids[0]).toBe("a");
    expect(ids.slice(3)).toEqual(["d", "e"]);
    expect(before["digest"]).toMatch(/^[0-9a-f]{64}$/);
    await shell.text("update", "a", "--set", "attributes.x=1");
    await shell.text("invalidate", "c", "--cause", "wrong", "--no-cascade");
    const after = await shell.json("replay", "e@1");
    const verdicts = (after["verdicts"] as readonly Json[]).map(({ recordId, verdict, now }) => [
      recordId,
      verdict,
      now,
    ]);
    expect(verdicts.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
      ["a", "superseded", 2],
      ["b", "same", 1],
      ["c", "withdrawn-since", 2],
      ["d", "same", 1],
    ]);
    expect(after["digest"]).toBe(before["digest"]);
  });
});

test("replay --check ends with 0 while all inputs stand, and with 4 when one does not", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    expect((await shell.run(["replay", "e", "--check"])).code).toBe(0);
    expect((await shell.run(["replay", "e", "--check", "--json"])).code).toBe(0);
    await shell.text("update", "a", "--set", "attributes.x=1");
    const text = await shell.run(["replay", "e", "--check"]);
    expect(text).toMatchObject({
      code: 4,
      stderr: "1 of 4 inputs differ from what was decided on.\n",
    });
    expect(text.stdout).toMatch(/\na@1 +config +start +superseded +@2\n/);
    const json = await shell.run(["replay", "e", "--check", "--json"]);
    expect(json.code).toBe(4);
    expect(JSON.parse(json.stdout)).toMatchObject({ decidedAt: 5 });
    expect((await shell.run(["replay", "e"])).code).toBe(0);
    expect((await shell.run(["replay", "e", "--check", "--as-of", "5"])).code).toBe(0);
  });
});

test("replay --out writes the closure with digests that match, and a manifest of all of it", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    await shell.text("create", "thing", "odd", "--id", "../../etc/passwd");
    await shell.text("update", "e", "--add-from", "../../etc/passwd");
    const answer = await shell.run(["replay", "e", "--out", "out/e"]);
    expect(answer).toMatchObject({ code: 0, stderr: "wrote 6 files and manifest.json to out/e\n" });
    const directory = join(shell.directory, "out/e");
    const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as Json;
    const replay = await shell.json("replay", "e");
    expect(manifest).toMatchObject({
      format: "sennit-replay",
      version: 1,
      decision: { recordId: "e", version: 2 },
      decidedAt: 7,
      comparedAsOf: 7,
      digest: replay["digest"],
      edges: replay["edges"],
      verdicts: replay["verdicts"],
    });
    const files = manifest["files"] as readonly Json[];
    const records = [];
    for (const { path, sizeBytes, sha256 } of files) {
      const bytes = await readFile(join(directory, String(path)));
      expect(bytes.length).toBe(sizeBytes);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
      records.push(JSON.parse(bytes.toString()));
    }
    expect(records).toEqual(replay["closure"]);
    expect(await readdir(directory)).toEqual(["manifest.json", "records"]);
    expect(await readdir(join(directory, "records"))).toHaveLength(files.length);
  });
});

test("replay --out leaves a directory that holds anything alone", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    await mkdir(join(shell.directory, "full"));
    await writeFile(join(shell.directory, "full/mine.txt"), "mine");
    const full = await shell.refusal(["replay", "e", "--out", "full"]);
    expect(full).toMatchObject({
      exit: 4,
      code: "directory-not-empty",
      details: { flag: "--out" },
    });
    expect(await readdir(join(shell.directory, "full"))).toEqual(["mine.txt"]);
    const file = await shell.refusal(["replay", "e", "--out", "full/mine.txt"]);
    expect(file).toMatchObject({ exit: 2, code: "file-unreadable" });
    const empty = await shell.refusal(["replay", "e", "--out", ""]);
    expect(empty).toMatchObject({ exit: 2, code: "argument-invalid" });
    expect((await readdir(shell.directory)).toSorted()).toEqual([".sennit", "full"]);
  });
});

test("lineage tells the paths between two records, whichever is named first", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    const paths = await shell.json("lineage", "e", "--to", "a");
    expect(await shell.json("lineage", "a", "--to", "config/start")).toMatchObject({ paths: [] });
    expect(await shell.json("lineage", "a", "--to", "e")).toEqual(paths);
    expect(paths["paths"]).toHaveLength(2);
    expect(paths["hasMore"]).toBe(false);
    expect(await shell.json("lineage", "e", "--to", "a", "--role", "input")).toMatchObject({
      paths: [],
    });
    expect(await shell.text("lineage", "e", "--to", "a")).toBe(
      [
        "e@1 rests on a@1 along 2 paths",
        "1. e@1 → d@1 → c@1 → a@1",
        "2. e@1 → d@1 → b@1 → a@1 (input)",
        "",
      ].join("\n"),
    );
    const one = await shell.run(["lineage", "e", "--to", "a", "--limit", "1"]);
    expect(one.stdout).toContain("the shortest path\n1. ");
    expect(one.stderr).toContain("--limit N");
    const none = await shell.run(["lineage", "b", "--to", "c"]);
    expect(none.stdout).toBe("neither of c@1 and b@1 rests on the other\n");
  });
});

test("lineage tells what two records have in common, and what changed since", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    const common = await shell.json("lineage", "b", "--with", "e");
    expect(common["nodes"]).toMatchObject([
      { recordId: "b", depths: [0, 2], isNearest: true },
      { recordId: "a", depths: [1, 3], isNearest: false },
    ]);
    expect(await shell.text("lineage", "b", "--with", "e")).toContain("nearest");
    await shell.text("invalidate", "b", "--cause", "wrong");
    const since = await shell.json("lineage", "a", "--down", "--since", "5");
    expect((since["nodes"] ?? []).map(({ recordId }) => recordId)).toEqual(["b", "d", "e"]);
    const told = await shell.text("lineage", "a", "--down", "--since", "5");
    expect(told).toContain("3 versions changed, 3 of them invalid now");
    expect(told).toContain("withdrawn  d@1  result");
    expect(await shell.text("lineage", "a", "--down", "--refs")).toBe("b@1\nc@1\nd@1\ne@1\n");
    const then = await shell.json("lineage", "a", "--down", "--since", "4", "--as-of", "5");
    expect(then["nodes"]).toMatchObject([{ recordId: "e", change: "joined", status: "valid" }]);
    const words = ["lineage", "a", "--down", "--since", "5"];
    expect((await shell.run(words)).stderr).toBe("");
    await shell.text("update", "a", "--set", "attributes.x=1");
    expect((await shell.run(words)).stderr).toContain("a@1: name another with REF@V");
    expect((await shell.run(["lineage", "a@1", ...words.slice(2)])).stderr).toBe("");
  });
});

test.each([
  ["--to", "a", "--with", "a"],
  ["--to", "a", "--depth", "2"],
  ["--with", "a", "--down"],
  ["--since", "1", "--format", "dot"],
  ["--refs", "--format", "tree"],
  ["--limit", "3"],
])("lineage refuses %s %s %s %s as one question too many", async (...flags) => {
  await withShell(async (shell) => {
    await diamond(shell);
    expect((await shell.run(["lineage", "e", ...flags])).stderr).toContain("error usage");
  });
});

test("lineage refuses an instant before it that comes after it, and words that are no relation", async () => {
  await withShell(async (shell) => {
    await diamond(shell);
    for (const flags of [
      ["--since", "4", "--as-of", "3"],
      ["--relation", "isLike"],
      ["--to", "a", "--limit", "10001"],
    ]) {
      const { stderr } = await shell.run(["lineage", "c", ...flags]);
      expect(stderr).toContain("error argument-invalid");
    }
  });
});
