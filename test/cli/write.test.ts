/** Commands that write: what they store, what they answer, and what they refuse. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { withShell, type Json, type Shell } from "./support.ts";

/** One flag with each of its values. */
function flags(name: string, ...values: readonly string[]): string[] {
  return values.flatMap((value) => [name, value]);
}

async function story(shell: Shell): Promise<void> {
  await shell.text("create", "config", "run 7", "--id", "cfg-1");
  await shell.text("create", "dataset", "scan 12", "--id", "ds-1", "--from", "cfg-1:setup");
  await shell.text("create", "model", "braggnn", "--id", "m-1", "--from", "ds-1:training-data");
  await shell.text("create", "decision", "go", "--id", "d-1", "--from", "m-1", "--from", "cfg-1");
}

test("create stores everything its flags say and answers with the record", async () => {
  await withShell(async (shell) => {
    const path = join(shell.directory, "weights.bin");
    await writeFile(path, "weights");
    await shell.text("create", "dataset", "peaks", "--id", "ds-1");
    const words = ["create", "model", "braggnn", "--id", "m-1", "--actor", "ann"];
    const answer = await shell.json(
      ...words,
      ...flags("--tag", "loss=0.12", "stage=prod", "final=true"),
      ...flags("--uri", "file:///a", "file:///b"),
      ...flags("--from", "ds-1:training-data"),
      ...flags("--attr", '{"layers":[1,2]}'),
      ...flags("--artifact", "weights.bin"),
      ...flags("--on-invalidate", "act-1"),
      ...flags("--occurred-at", "2026-03-01T12:00:00Z"),
    );
    expect(answer).toMatchObject({ status: "stored", position: 2, version: 1, recordId: "m-1" });
    const sha256 = createHash("sha256").update("weights").digest("hex");
    expect(answer["record"]).toEqual({
      id: "m-1",
      kind: "model",
      name: "braggnn",
      version: 1,
      status: "valid",
      stale: false,
      tags: { loss: 0.12, stage: "prod", final: true },
      uris: ["file:///a", "file:///b"],
      attributes: { layers: [1, 2] },
      artifacts: [{ name: "weights.bin", uri: `file://${path}`, sizeBytes: 7, sha256 }],
      onInvalidate: ["act-1"],
      derivedFrom: [
        { recordId: "ds-1", version: 1, role: "training-data", relation: "wasDerivedFrom" },
      ],
      createdAt: "2026-03-02T10:02:00.000000Z",
      recordedAt: "2026-03-02T10:02:00.000000Z",
      occurredAt: "2026-03-01T12:00:00Z",
      actor: "ann",
      position: 2,
      invalidation: null,
    });
  });
});

test("tag values that read as numbers or booleans are typed, unless digits would be lost or quotes ask for text", async () => {
  await withShell(async (shell) => {
    const given = {
      number: "-1.5e3",
      zero: "0",
      boolean: "false",
      quoted: '"5"',
      padded: "007",
      long: "12345678901234567890",
      precise: "0.1234567890123456789",
      huge: "1e999",
      empty: "",
      equation: "a=b",
    };
    const tags = Object.entries(given).map(([key, value]) => `${key}=${value}`);
    const { record } = await shell.json("create", "config", "x", ...flags("--tag", ...tags));
    expect(record?.["tags"]).toEqual({
      number: -1500,
      zero: 0,
      boolean: false,
      quoted: "5",
      padded: "007",
      long: "12345678901234567890",
      precise: "0.1234567890123456789",
      huge: "1e999",
      empty: "",
      equation: "a=b",
    });
  });
});

test("create without an id makes one from the kind", async () => {
  await withShell(async (shell) => {
    const first = await shell.json("create", "decision", "go");
    const second = await shell.json("create", "decision", "go");
    expect(first["recordId"]).toMatch(/^decision-[a-z2-9]{10}$/);
    expect(second["recordId"]).not.toBe(first["recordId"]);
    for (const kind of ["-odd", "***", "--"]) {
      const made = await shell.text("create", "--json", "--", kind, "x");
      const { recordId } = JSON.parse(made) as Json;
      expect(recordId).toMatch(/^(odd|record)-[a-z2-9]{10}$/);
    }
  });
});

test("a source may be an id, a version, a kind and name, or an id that holds a colon, with a role or without", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "dataset", "a:b", "--id", "urn:ds:1");
    await shell.text("update", "urn:ds:1", "--tag", "a=1");
    const from = ["urn:ds:1", "urn:ds:1:raw", "urn:ds:1@1:old", "dataset/a:b:named"];
    const { record } = await shell.json("create", "model", "m", ...flags("--from", ...from));
    const sources = (record?.["derivedFrom"] ?? []) as readonly Json[];
    expect(sources.map(({ recordId, version, role }) => [recordId, version, role])).toEqual([
      ["urn:ds:1", 2, null],
      ["urn:ds:1", 2, "raw"],
      ["urn:ds:1", 1, "old"],
      ["urn:ds:1", 2, "named"],
    ]);
  });
});

test("update changes what its flags name and leaves the rest", async () => {
  await withShell(async (shell) => {
    await story(shell);
    await shell.text("create", "config", "other", "--id", "cfg-2");
    await shell.text(
      "update",
      "ds-1",
      "--tag",
      "keep=1",
      "--tag",
      "drop=2",
      "--uri",
      "file:///old",
    );
    await shell.text(
      "update",
      "ds-1",
      "--set",
      "name=scan 13",
      "--untag",
      "drop",
      "--tag",
      "new=x",
    );
    await shell.text(
      "update",
      "ds-1",
      "--set",
      "attributes.a.b=8.4",
      "--set",
      "attributes.a.c=text",
    );
    await shell.text("update", "ds-1", "--set", "attributes.a.b=null", "--uri", "file:///new");
    await shell.text(
      "update",
      "ds-1",
      "--add-from",
      "cfg-2:second",
      "--patch",
      '{"attributes":{"p":[1]}}',
    );
    expect(await shell.json("show", "ds-1")).toMatchObject({
      name: "scan 13",
      version: 6,
      tags: { keep: 1, new: "x" },
      uris: ["file:///new"],
      attributes: { a: { c: "text" }, p: [1] },
      derivedFrom: [
        { recordId: "cfg-1", version: 1, role: "setup" },
        { recordId: "cfg-2", version: 1, role: "second" },
      ],
    });
    await shell.text("update", "ds-1", "--from", "cfg-2");
    expect(await shell.json("show", "ds-1")).toMatchObject({
      derivedFrom: [{ recordId: "cfg-2", version: 1, role: null }],
    });
  });
});

test("a patch and the flags beside it are one change, or none when they contradict each other", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const patch = '{"tags":{"b":2},"attributes":{"p":{"x":1}}}';
    const { record } = await shell.json(
      "update",
      "cfg-1",
      "--patch",
      patch,
      ...["--tag", "a=1", "--set", "attributes.p.y=2", "--set", "attributes.constructor.z=3"],
    );
    expect(record?.["tags"]).toMatchObject({ a: 1, b: 2 });
    expect(record?.["attributes"]).toMatchObject({ p: { x: 1, y: 2 }, constructor: { z: 3 } });
    const contradictions: readonly (readonly [patch: string, ...flags: string[]])[] = [
      ['{"tags":"xy"}', "--tag", "a=1"],
      ['{"tags":null}', "--untag", "a"],
      ['{"attributes":[7,8]}', "--set", "attributes.b=1"],
      ['{"attributes":null}', "--set", "attributes.b=1"],
      ['{"attributes":{"b":5}}', "--set", "attributes.b.c=1"],
    ];
    for (const [given, ...others] of contradictions) {
      const words = ["update", "cfg-1", "--patch", given, ...others];
      expect(await shell.refusal(words), given).toMatchObject({
        exit: 2,
        code: "argument-invalid",
        details: { flag: "--patch" },
      });
    }
    const set = ["--set", "attributes.b=1", "--set", "attributes.b.c=1"];
    expect(await shell.refusal(["update", "cfg-1", ...set])).toMatchObject({
      code: "argument-invalid",
      details: { flag: "--set" },
    });
  });
});

test("update with a reason keeps it in the event", async () => {
  await withShell(async (shell) => {
    await story(shell);
    await shell.text(
      "update",
      "cfg-1",
      "--tag",
      "a=1",
      "--reason",
      "recalibrated",
      "--actor",
      "bo",
    );
    const { events } = await shell.json("history", "cfg-1");
    expect(events?.[1]).toMatchObject({ actor: "bo", data: { reason: "recalibrated" } });
  });
});

test("--expect lets an update and a restore through only at that version", async () => {
  await withShell(async (shell) => {
    await story(shell);
    await shell.text("update", "cfg-1", "--tag", "a=1", "--expect", "1");
    const update = await shell.refusal(["update", "cfg-1", "--tag", "a=2", "--expect", "1"]);
    expect(update).toMatchObject({ exit: 4, code: "version-conflict" });
    const restore = await shell.refusal(["restore", "cfg-1@1", "--expect", "1"]);
    expect(restore).toMatchObject({ exit: 4, code: "version-conflict" });
    await shell.text("restore", "cfg-1@1", "--expect", "2");
    expect(await shell.json("show", "cfg-1")).toMatchObject({ version: 3, tags: {} });
  });
});

test("a dry run says what impact says, stores nothing, and is what then happens", async () => {
  for (const cascade of [[], ["--no-cascade"]]) {
    for (const ref of ["cfg-1", "cfg-1@1", "cfg-1@2", "m-1"]) {
      await withShell(async (shell) => {
        await story(shell);
        await shell.text("update", "cfg-1", "--set", "attributes.energy=8.4");
        await shell.text("update", "m-1", "--from", "ds-1", "--from", "cfg-1");
        const dry = await shell.json("invalidate", ref, "--dry-run", ...cascade);
        expect(await shell.json("log")).toMatchObject({ asOf: 6 });
        if (cascade.length === 0) expect(await shell.json("impact", ref)).toEqual(dry);
        await shell.text("invalidate", ref, "--cause", "wrong", ...cascade);
        const { events } = await shell.json("log", "--from", "7");
        const happened = (events ?? []).map(({ recordId, data }) => ({
          recordId,
          versions: data?.["versions"],
          via: data?.["via"] ?? null,
        }));
        const foretold = (dry["withdrawn"] as readonly Json[]).map(
          ({ recordId, versions, via }) => ({
            recordId,
            versions,
            via,
          }),
        );
        expect(happened).toEqual(foretold);
      });
    }
  }
});

test("invalidate withdraws all versions, one, or one and all later ones", async () => {
  const withdrawn = async (...words: string[]) =>
    withShell(async (shell) => {
      await story(shell);
      for (const value of ["1", "2", "3"])
        await shell.text("update", "cfg-1", "--tag", `a=${value}`);
      await shell.text("invalidate", ...words, "--cause", "wrong");
      const { versions } = await shell.json("history", "cfg-1");
      return (versions ?? []).map(({ status }) => status).slice(0, 4);
    });
  expect(await withdrawn("cfg-1")).toEqual(["invalid", "invalid", "invalid", "invalid"]);
  expect(await withdrawn("cfg-1@2")).toEqual(["valid", "invalid", "valid", "valid"]);
  expect(await withdrawn("cfg-1@3", "--since")).toEqual(["valid", "valid", "invalid", "invalid"]);
});

test("invalidate says in words which versions it withdrew, not the version that its event makes", async () => {
  await withShell(async (shell) => {
    await story(shell);
    await shell.text("update", "cfg-1", "--tag", "a=1");
    await shell.text("update", "cfg-1", "--tag", "a=2");
    const one = await shell.text("invalidate", "cfg-1@2", "--cause", "wrong");
    expect(one).toMatch(/^withdrew cfg-1@2 /);
    const later = await shell.text("invalidate", "cfg-1@3", "--since", "--cause", "wrong");
    expect(later).toMatch(/^withdrew cfg-1@3-4 /);
    const all = await shell.text("invalidate", "cfg-1", "--cause", "wrong");
    expect(all).toMatch(/^withdrew cfg-1@1-5 .*\n.*3 records/);
  });
});

test("--no-cascade leaves what rests on the record valid", async () => {
  await withShell(async (shell) => {
    await story(shell);
    await shell.text("invalidate", "cfg-1", "--cause", "wrong", "--no-cascade");
    expect(await shell.json("show", "cfg-1")).toMatchObject({ status: "invalid" });
    expect(await shell.json("show", "d-1")).toMatchObject({ status: "valid" });
  });
});

test("restore brings the content of an old version back as a new one", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const { attributes, tags, derivedFrom } = await shell.json("show", "m-1");
    await shell.text("update", "m-1", "--tag", "a=1", "--set", "attributes.x=1", "--from", "cfg-1");
    await shell.text("restore", "m-1@1", "--reason", "overfits");
    expect(await shell.json("show", "m-1")).toMatchObject({
      version: 3,
      attributes,
      tags,
      derivedFrom,
    });
    const { events } = await shell.json("history", "m-1");
    expect(events?.[2]).toMatchObject({ data: { restores: 1, reason: "overfits" } });
  });
});

test("a label names the head or a position, and moves", async () => {
  await withShell(async (shell) => {
    await story(shell);
    expect(await shell.json("label", "paper")).toMatchObject({ label: "paper", position: 4 });
    expect(await shell.json("list", "--as-of", "paper")).toMatchObject({ asOf: 4 });
    await shell.text("label", "paper", "2", "--actor", "ann");
    expect(await shell.json("list", "--as-of", "paper")).toMatchObject({ asOf: 2 });
    expect(await shell.json("history", "label:paper")).toMatchObject({
      events: [{ position: 5 }, { position: 6, actor: "ann" }],
    });
  });
});

test("init makes a store once and leaves the one that is there", async () => {
  await withShell(async (shell) => {
    await story(shell);
    expect(await shell.json("init")).toEqual({ store: join(shell.directory, ".sennit"), head: 4 });
    expect(await shell.json("init", "other")).toEqual({
      store: join(shell.directory, "other"),
      head: 0,
    });
    expect(await shell.json("list", "--store", "other")).toEqual({ asOf: 0, records: [] });
  });
});

test("erase destroys what is named, says what it was, and every read says so", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "dataset", "Marie Curie", "--id", "scan", "--tag", "by=Marie");
    await shell.text("update", "scan", "--tag", "checked=true");
    await shell.text("create", "model", "m", "--id", "m-1", "--from", "scan");
    await shell.text("list");
    const words = ["erase", "dataset/Marie Curie", "--cause", "consent withdrawn"];
    expect(await shell.text(...words, "--dry-run")).toBe(
      "would erase the content of 2 versions\n  scan@1-2\n",
    );
    expect((await shell.json("show", "scan"))["name"]).toBe("Marie Curie");
    const answer = await shell.json(...words, "--actor", "otto");
    expect(answer).toEqual({
      position: 4,
      recordId: expect.stringMatching(/^erasure:/),
      erased: [{ recordId: "scan", versions: { from: 1, to: 2 } }],
      sameContent: [],
      damagedLogs: [],
    });
    for (const read of [
      ["show", "scan"],
      ["history", "scan"],
      ["log"],
      ["list"],
      ["replay", "m-1"],
    ]) {
      const text = await shell.text(...read);
      expect([read, text.includes("erased"), text.includes("Marie")]).toEqual([read, true, false]);
    }
    for (const read of [
      ["lineage", "m-1"],
      ["lineage", "m-1", "--format", "dot"],
      ["impact", "scan"],
      ["diff", "--from", "0"],
    ]) {
      expect([read, await shell.text(...read)]).toEqual([
        read,
        expect.stringContaining("(erased)"),
      ]);
    }
    expect(await shell.text("erase", "scan", "--cause", "again")).toBe(
      "There is nothing left to erase.\n",
    );
    const refused = async (...refusedWords: readonly string[]) =>
      (await shell.refusal(refusedWords)).code;
    expect(await refused("update", "scan", "--tag", "a=b")).toBe("content-erased");
    expect(await refused("restore", "scan@1")).toBe("content-erased");
    expect(await refused("erase", "scan")).toBe("usage");
  });
});
