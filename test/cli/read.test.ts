/** Commands that read: the documented shapes, and what an older instant must not know. */
import { expect, test } from "vitest";

import { withShell, type Json, type Shell } from "./support.ts";

const recordMembers = (
  "actor artifacts attributes createdAt derivedFrom id invalidation kind name occurredAt onInvalidate " +
  "position recordedAt stale status tags uris version"
).split(" ");

/** Positions 1 to 9; the commands run from 10:01, one each minute; label `then` is position 4, named at 5. */
async function story(shell: Shell): Promise<void> {
  await shell.text("create", "config", "run 7", "--id", "cfg-1", "--tag", "energy=8.3");
  await shell.text("create", "dataset", "scan 12", "--id", "ds-1", "--from", "cfg-1");
  await shell.text("create", "model", "braggnn", "--id", "m-1", "--from", "ds-1:training-data");
  await shell.text("create", "decision", "go", "--id", "d-1", "--from", "m-1");
  await shell.text("label", "then");
  await shell.text("update", "cfg-1", "--set", "attributes.energy=8.4");
  await shell.text("invalidate", "ds-1", "--cause", "detector off");
}

const instants = ["4", "2026-03-02T10:04:00Z", "2026-03-02T11:04:30+01:00", "then"];

test("show answers with the documented record", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const record = await shell.json("show", "m-1");
    expect(Object.keys(record).toSorted()).toEqual(recordMembers);
    expect(record).toMatchObject({
      status: "invalid",
      version: 2,
      invalidation: {
        cause: "detector off",
        position: 8,
        recordedAt: "2026-03-02T10:07:00.000000Z",
        root: { recordId: "ds-1", eventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
        via: { recordId: "ds-1", version: 1 },
      },
    });
    expect(Object.keys(record["invalidation"] ?? {}).toSorted()).toEqual(
      ["cause", "position", "recordedAt", "root", "via"].toSorted(),
    );
    expect(await shell.json("show", "m-1@1")).toMatchObject({ version: 1, position: 3 });
  });
});

test("list pages through records in the order of their creation, for the instant of its first page", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const first = await shell.json("list", "--limit", "3");
    expect(Object.keys(first)).toEqual(["asOf", "records", "nextCursor"]);
    expect(Object.keys(first["records"]?.[0] ?? {}).toSorted()).toEqual(recordMembers);
    await shell.text("create", "dataset", "later", "--id", "ds-2");
    const second = await shell.json(
      "list",
      "--limit",
      "3",
      "--cursor",
      String(first["nextCursor"]),
    );
    expect(second["asOf"]).toBe(first["asOf"]);
    const ids = [...(first["records"] ?? []), ...(second["records"] ?? [])].map(({ id }) => id);
    expect(ids).toEqual(["cfg-1", "ds-1", "m-1", "d-1", "label:then"]);
    expect(second["nextCursor"]).toBeUndefined();
    const other = await shell.refusal([
      "list",
      "--kind",
      "model",
      "--cursor",
      String(first["nextCursor"]),
    ]);
    expect(other).toMatchObject({ exit: 2, code: "cursor-invalid" });
  });
});

test("list finds by kind, tag, status and words", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const ids = async (...words: string[]) => {
      const { records } = await shell.json("list", ...words);
      return (records ?? []).map(({ id }) => id);
    };
    expect(await ids("--kind", "model")).toEqual(["m-1"]);
    expect(await ids("kind:model")).toEqual(["m-1"]);
    expect(await ids("--tag", "energy=8.3")).toEqual(["cfg-1"]);
    expect(await ids("tag.energy=8.3")).toEqual(["cfg-1"]);
    expect(await ids("--tag", "energy=8.3", "tag.energy=8.3")).toEqual(["cfg-1"]);
    expect(await ids("--kind", "model", "kind:model", "--kind", "model")).toEqual(["m-1"]);
    expect(await ids("--status", "invalid")).toEqual(["ds-1", "m-1", "d-1"]);
    expect(await ids("--status", "valid", "--kind", "config")).toEqual(["cfg-1"]);
    expect(await ids("--status", "stale")).toEqual([]);
    expect(await ids("--status", "stale", "--as-of", "6")).toEqual(["ds-1"]);
    expect(await ids("BRAGG")).toEqual(["m-1"]);
    expect(await ids("scan", "12")).toEqual(["ds-1"]);
    expect(await ids("nothing")).toEqual([]);
    expect(await ids("--tag", "energy=8.30")).toEqual(["cfg-1"]);
    expect(await ids("--tag", 'energy="8.3"')).toEqual([]);
    expect(await ids("tag.energy>8", "-kind:model")).toEqual(["cfg-1"]);
    expect(await ids("-tag.energy", "--kind", "model")).toEqual(["m-1"]);
    const behind = await shell.run(["list", "--json", "--kind=model", "--", "-tag.energy"]);
    expect(JSON.parse(behind.stdout)).toMatchObject({ records: [{ id: "m-1" }] });
    expect(await ids("(kind:model OR kind:config) -tag.energy")).toEqual(["m-1"]);
  });
});

test("a query that cannot be read is shown with carets under the place", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const { code, stderr } = await shell.run(["list", "kind:model", "version>abc"]);
    expect(code).toBe(2);
    expect(stderr.split("\n").slice(1, 3)).toEqual([
      "  kind:model version>abc",
      "                     ^^^",
    ]);
  });
});

test("list tells with --explain how it finds what it finds", async () => {
  await withShell(async (shell) => {
    await story(shell);
    expect(await shell.json("list", "tag.energy=8.3 status:valid", "--explain")).toMatchObject({
      index: "tag.energy, one value",
      filter: "status:valid",
      examined: 1,
      found: 1,
    });
    expect(await shell.text("list", "--explain")).toContain("every record");
  });
});

test("list takes a tag in the form that create takes", async () => {
  await withShell(async (shell) => {
    const tags = ['s="12"', 's="two words"', "s=true", 's="', "s=007"];
    for (const [index, tag] of tags.entries())
      await shell.text("create", "config", "x", "--id", `r${index}`, "--tag", tag);
    for (const [index, tag] of tags.entries()) {
      const { records } = await shell.json("list", "--tag", tag);
      expect(records, tag).toMatchObject([{ id: `r${index}` }]);
    }
  });
});

test("log answers with events in order, backwards, of one record, and says where the next page starts", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const all = await shell.json("log");
    expect(Object.keys(all)).toEqual(["asOf", "events"]);
    const positions = ({ events }: Json) => (events ?? []).map(({ position }) => Number(position));
    expect(positions(all)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(all["events"]?.[2]).toMatchObject({
      position: 3,
      type: "record.created",
      recordId: "m-1",
      version: 1,
      recordedAt: "2026-03-02T10:03:00.000000Z",
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      data: { derivedFrom: [{ recordId: "ds-1", version: 1, role: "training-data" }] },
    });
    const page = await shell.json("log", "--from", "2", "--limit", "3");
    expect(positions(page)).toEqual([2, 3, 4]);
    expect(page["nextFrom"]).toBe(5);
    const back = await shell.json("log", "--reverse", "--limit", "2");
    expect(positions(back)).toEqual([9, 8]);
    expect(back["nextFrom"]).toBe(7);
    expect(positions(await shell.json("log", "--reverse", "--from", "7", "--limit", "2"))).toEqual([
      7, 6,
    ]);
    expect(positions(await shell.json("log", "m-1"))).toEqual([3, 8]);
    expect(positions(await shell.json("log", "model/braggnn", "--as-of", "then"))).toEqual([3]);
    expect(positions(await shell.json("log", "--as-of", "4"))).toEqual([1, 2, 3, 4]);
    expect(positions(await shell.json("log", "--limit", "9007199254740990"))).toHaveLength(9);
  });
});

test("history answers with versions and their events", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const history = await shell.json("history", "ds-1");
    expect(Object.keys(history)).toEqual(["recordId", "versions", "events"]);
    expect(history).toMatchObject({
      recordId: "ds-1",
      versions: [
        { version: 1, status: "invalid", position: 2 },
        { version: 2, status: "invalid", position: 7 },
      ],
      events: [{ type: "record.created" }, { type: "record.invalidated" }],
    });
    expect(await shell.json("history", "ds-1", "--as-of", "then")).toMatchObject({
      versions: [{ version: 1, status: "valid", invalidation: null }],
      events: [{ position: 2 }],
    });
  });
});

test("every read as of an instant answers as it would have then", async () => {
  const reads: readonly (readonly string[])[] = [
    ["show", "d-1"],
    ["show", "decision/go"],
    ["list"],
    ["list", "--status", "valid"],
    ["log"],
    ["log", "ds-1"],
    ["history", "cfg-1"],
    ["diff", "cfg-1", "cfg-1@1"],
    ["lineage", "d-1"],
    ["lineage", "cfg-1", "--down"],
    ["impact", "ds-1"],
    ["invalidate", "ds-1", "--dry-run"],
    ["stale"],
    ["replay", "d-1"],
    ["replay", "d-1", "--check"],
  ];
  await withShell(async (shell) => {
    const before = new Map<string, Json>();
    const remember = async () => {
      for (const words of reads) before.set(words.join(" "), await shell.json(...words));
    };
    await shell.text("create", "config", "run 7", "--id", "cfg-1");
    await shell.text("create", "dataset", "scan 12", "--id", "ds-1", "--from", "cfg-1");
    await shell.text("create", "model", "braggnn", "--id", "m-1", "--from", "ds-1");
    await shell.text("create", "decision", "go", "--id", "d-1", "--from", "m-1");
    await remember();
    await shell.text("label", "then");
    await shell.text("update", "cfg-1", "--set", "attributes.energy=8.4");
    await shell.text("create", "decision", "go", "--id", "d-2", "--from", "cfg-1");
    await shell.text("invalidate", "ds-1", "--cause", "wrong");
    for (const instant of ["4", "then", "2026-03-02T10:04:00Z"]) {
      for (const words of reads) {
        const answer = await shell.json(...words, "--as-of", instant);
        expect(answer, `${words.join(" ")} as of ${instant}`).toEqual(before.get(words.join(" ")));
      }
    }
    expect(await shell.refusal(["show", "decision/go"])).toMatchObject({ code: "ref-ambiguous" });
  });
});

test("a position, a time, a time of another zone and a label mean the same instant", async () => {
  await withShell(async (shell) => {
    await story(shell);
    for (const instant of instants) {
      expect(await shell.json("list", "--as-of", instant), instant).toMatchObject({ asOf: 4 });
    }
    expect(await shell.json("list", "--as-of", "0")).toEqual({ asOf: 0, records: [] });
    expect(await shell.json("list", "--as-of", "2001-01-01T00:00:00Z")).toMatchObject({ asOf: 0 });
    expect(await shell.json("list", "--as-of", "2026-03-02T10:00:59.999999Z")).toMatchObject({
      asOf: 0,
    });
  });
});

test("an instant that is none, or is still ahead, is refused by every read", async () => {
  const reads = [
    ["show", "d-1"],
    ["list"],
    ["log"],
    ["history", "d-1"],
    ["diff", "d-1", "d-1@1"],
    ["diff", "--from", "1"],
    ["lineage", "d-1"],
    ["impact", "d-1"],
    ["stale"],
    ["replay", "d-1"],
  ];
  await withShell(async (shell) => {
    await story(shell);
    for (const words of reads) {
      const refused = async (instant: string) => {
        const { exit, code } = await shell.refusal([...words, `--as-of=${instant}`]);
        return { exit, code };
      };
      const what = words.join(" ");
      expect(await refused("10"), what).toEqual({ exit: 2, code: "as-of-ahead-of-head" });
      expect(await refused("2999-01-01T00:00:00Z"), what).toEqual({
        exit: 2,
        code: "as-of-ahead-of-head",
      });
      expect(await refused("9".repeat(30)), what).toEqual({ exit: 2, code: "as-of-invalid" });
      expect(await refused("2026-03-02"), what).toEqual({ exit: 2, code: "as-of-invalid" });
      expect(await refused("2026-03-02T10:00:00"), what).toEqual({
        exit: 2,
        code: "as-of-invalid",
      });
      expect(await refused(""), what).toEqual({ exit: 2, code: "as-of-invalid" });
      expect(await refused("-1"), what).toEqual({ exit: 2, code: "as-of-invalid" });
      expect(await refused("nonsense"), what).toEqual({ exit: 3, code: "label-not-found" });
    }
  });
});

test("KIND/NAME finds the one record of that name, also with a slash in the name, a version, and at an older instant", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "scan", "2026/03/a", "--id", "s-1");
    await shell.text("create", "scan", "twin", "--id", "s-2");
    await shell.text("update", "s-2", "--set", "name=other");
    await shell.text("create", "scan", "twin", "--id", "s-3");
    await shell.text("create", "scan", "other", "--id", "s-4");
    expect(await shell.json("show", "scan/2026/03/a")).toMatchObject({ id: "s-1" });
    expect(await shell.json("show", "scan/twin")).toMatchObject({ id: "s-3" });
    expect(await shell.json("show", "scan/twin", "--as-of", "2")).toMatchObject({
      id: "s-2",
      version: 1,
    });
    expect(await shell.json("show", "scan/other", "--as-of", "3")).toMatchObject({ id: "s-2" });
    expect(await shell.json("show", "scan/other@1", "--as-of", "3")).toMatchObject({
      name: "twin",
    });
    expect(await shell.refusal(["show", "scan/other"])).toMatchObject({
      exit: 2,
      code: "ref-ambiguous",
    });
    expect(await shell.refusal(["show", "scan/none"])).toMatchObject({
      exit: 3,
      code: "record-not-found",
    });
    expect(await shell.refusal(["show", "scan/other", "--as-of", "1"])).toMatchObject({
      exit: 3,
      code: "record-not-found",
    });
  });
});

test("an id with a slash is found before a kind and name", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "model", "a", "--id", "other");
    await shell.text("create", "thing", "b", "--id", "model/a");
    expect(await shell.json("show", "model/a")).toMatchObject({ id: "model/a" });
  });
});

test("diff of two versions names what was added, removed and changed", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "config", "run 7", "--id", "c", "--tag", "a=1", "--tag", "b=2");
    await shell.text("update", "c", "--set", "name=run 8", "--untag", "a", "--tag", "x/y=3");
    expect(await shell.json("diff", "c@1", "c@2")).toEqual({
      from: { recordId: "c", version: 1 },
      to: { recordId: "c", version: 2 },
      changes: expect.arrayContaining([
        { pointer: "/name", change: "changed", before: "run 7", after: "run 8" },
        { pointer: "/tags/a", change: "removed", before: 1 },
        { pointer: "/tags/x~1y", change: "added", after: 3 },
      ]) as Json,
    });
    expect(await shell.text("diff", "c@1", "c@2")).toContain('  /name\n  - "run 7"\n  + "run 8"\n');
    expect(await shell.text("diff", "c", "c@2")).toBe("c@2 -> c@2\nno difference\n");
  });
});

test("diff of two instants tells of every record that differs, and of none that does not", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const diff = await shell.json("diff", "--from", "then", "--to", "9");
    expect(diff).toMatchObject({ from: 4, to: 9 });
    const rows = (diff["records"] ?? []).map(({ recordId, changes }) => [recordId, changes]);
    expect(rows).toEqual([
      ["label:then", ["created"]],
      ["cfg-1", ["updated"]],
      ["ds-1", ["withdrawn"]],
      ["m-1", ["withdrawn"]],
      ["d-1", ["withdrawn"]],
    ]);
    expect(await shell.json("diff", "--from", "4")).toEqual(diff);
    expect(await shell.json("diff", "--from", "4", "--as-of", "9")).toEqual(diff);
    expect(await shell.json("diff", "--from", "4", "--to", "then")).toMatchObject({ records: [] });
    expect(await shell.text("diff", "--from", "4")).toMatch(
      /^position 4 -> 9\ncreated {2}label:then @1[^]*\n5 records changed\n$/,
    );
  });
});

test("text answers say which instant they speak for on stderr, and only when one was asked for", async () => {
  await withShell(async (shell) => {
    await story(shell);
    for (const words of [
      ["show", "m-1"],
      ["list"],
      ["log"],
      ["history", "m-1"],
      ["lineage", "m-1"],
    ]) {
      const then = await shell.run([...words, "--as-of", "then"]);
      expect(then.stderr, words[0]).toBe("as of position 4\n");
      expect((await shell.run(words)).stderr, words[0]).toBe("");
    }
  });
});

test("every read of an empty store answers, and says what to do next", async () => {
  await withShell(async (shell) => {
    const list = await shell.run(["list"]);
    expect(list).toMatchObject({ code: 0, stdout: "" });
    expect(list.stderr).toContain("sennit create");
    expect(await shell.run(["log"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "The log is empty.\n",
    });
    expect(await shell.run(["stale"])).toMatchObject({ code: 0, stdout: "" });
    expect(await shell.json("log")).toEqual({ asOf: 0, events: [] });
    expect(await shell.json("list")).toEqual({ asOf: 0, records: [] });
    expect(await shell.json("stale")).toEqual({ asOf: 0, records: [], outdated: [] });
    expect(await shell.json("diff", "--from", "0")).toEqual({ from: 0, to: 0, records: [] });
    expect(await shell.json("verify")).toMatchObject({ ok: true, head: 0, events: 0 });
    for (const command of ["show", "history", "lineage", "impact", "replay", "log"]) {
      expect(await shell.refusal([command, "x"]), command).toMatchObject({
        exit: 3,
        code: "record-not-found",
      });
    }
    await shell.text("create", "config", "x");
    const past = await shell.run(["list", "--as-of", "0"]);
    expect(past.stderr).not.toContain("sennit create");
  });
});
