/** A process killed while it writes loses nothing it acknowledged, and the judge of that can tell when it does. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { withTemporaryDirectory } from "@sennit/core/testing";
import { beforeAll, expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

type Line = Readonly<Record<string, unknown>>;

/** Both programs run under plain Node, on what the build has made. */
function runProgram(name: string, args: readonly string[]) {
  const program = join(repositoryRoot, "test", "crash", name);
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
}

beforeAll(() => {
  const built = join(repositoryRoot, "packages", "core", "dist", "index.js");
  if (!existsSync(built)) throw new Error("There is no build to kill: run npm run build first.");
});

test("S3: a store whose process is killed 20 times has every acknowledged event in its place", async () => {
  await withTemporaryDirectory(async (directory) => {
    const { status, stdout, stderr } = runProgram("run.mjs", [
      ...["--kills", "20", "--seed", "1", "--keep", directory],
    ]);
    expect([status, stdout === "" ? stderr : ""]).toEqual([0, ""]);
    const report = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    expect(report).toMatchObject({ seed: 1, kills: 20, stores: 1, problems: [] });
    // A run in which nothing was acknowledged, or nothing was left open, would prove nothing.
    expect(report["acknowledged"]).toBeGreaterThan(0);
    expect(report["resent"]).toBeGreaterThan(0);
  });
});

test("the run refuses a number that is none", () => {
  expect(runProgram("run.mjs", ["--kills", "many"]).status).toBe(1);
});

const ids = ["a", "b", "c", "d"].map(
  (letter) => `0198c2f0-0000-7000-8000-${letter.repeat(12)}`,
) as [string, string, string, string];
const [first, second, third, fourth] = ids;

function sent(id: string, recordId: string, source?: string) {
  const derivedFrom = source === undefined ? [] : [{ recordId: source }];
  return { type: "record.created", id, recordId, data: { kind: "sample", name: id, derivedFrom } };
}

function stored(id: string, recordId: string, position: number, batch: number, source?: string) {
  const derivedFrom = source === undefined ? [] : [{ recordId: source, version: 1 }];
  const data = { kind: "sample", name: id, derivedFrom };
  const recordedAt = `2026-03-02T10:00:00.00000${batch}Z`;
  const hash = `hash ${id}`;
  const event = { type: "record.created", id, recordId, version: 1, position, recordedAt, hash };
  return { line: "stored", event: { ...event, data } };
}

function ack(call: string, ...places: readonly (readonly [string, number])[]) {
  const events = places.map(([id, position]) => ({
    ...{ id, status: "stored", position, version: 1, added: [] },
  }));
  return { line: "ack", call, events };
}

/** A sound history: two calls after one another, then one of two events; a fourth event has no answer. */
const sound = {
  startOne: { line: "start", call: "1", events: [sent(first, "r1")] },
  ackOne: ack("1", [first, 1]),
  startTwo: { line: "start", call: "2", events: [sent(second, "r2", "r1"), sent(third, "r3")] },
  ackTwo: ack("2", [second, 2], [third, 3]),
  startThree: { line: "start", call: "3", events: [sent(fourth, "r4")] },
  opened: { line: "opened", damage: null, verified: true, head: 3 },
  storedOne: stored(first, "r1", 1, 1),
  storedTwo: stored(second, "r2", 2, 2, "r1"),
  storedThree: stored(third, "r3", 3, 2),
  read: { line: "read", head: 3, root: "root of 3" },
  answer: {
    line: "answer",
    view: {
      ...{ id: "r1", kind: "sample", name: first, version: 1, position: 1, status: "valid" },
      ...{ tags: {}, attributes: {}, derivedFrom: [] },
    },
  },
  openedAgain: {
    ...{ line: "opened", damage: null, verified: true, head: 3, previousRoot: "root of 3" },
  },
  again: { line: "again", event: { id: first, position: 1, version: 1, hash: `hash ${first}` } },
  readAgain: { line: "read", head: 3, root: "root of 3" },
} satisfies Readonly<Record<string, Line>>;

type Broken = Partial<Record<keyof typeof sound, readonly Line[]>>;

/** Judges the sound history with some of its lines replaced. @returns the exit code and the problems found */
async function judge(replaced: Broken = {}) {
  const lines = Object.entries(sound).flatMap(([name, line]) =>
    Object.hasOwn(replaced, name) ? (replaced[name as keyof typeof sound] ?? []) : [line],
  );
  return withTemporaryDirectory(async (directory) => {
    const path = join(directory, "history.jsonl");
    await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const { status, stdout } = runProgram("check-history.mjs", [path]);
    return { status, problems: (JSON.parse(stdout) as { problems: string[] }).problems };
  });
}

test("a sound history is found sound", async () => {
  expect(await judge()).toEqual({ status: 0, problems: [] });
});

const headOfTwo = {
  opened: [{ ...sound.opened, head: 2 }],
  read: [{ ...sound.read, head: 2 }],
  openedAgain: [{ ...sound.openedAgain, head: 2 }],
  readAgain: [{ ...sound.readAgain, head: 2 }],
};
const withdrawal = {
  ...{ type: "record.invalidated", id: fourth, recordId: "r1", version: 2, position: 4 },
  ...{ recordedAt: "2026-03-02T10:00:00.000003Z", hash: "hash", data: { cause: "Wrong." } },
};

/** What is wrong with a history, how it comes about, and what the judge must say of it. */
const broken: readonly (readonly [string, Broken, RegExp])[] = [
  ["an acknowledged batch is lost", { storedTwo: [], storedThree: [] }, /^lost: event .*b{12}/],
  ["the end of a batch is lost", { ...headOfTwo, storedThree: [] }, /is not whole/],
  [
    "an event is stored twice",
    { storedThree: [stored(second, "r3", 3, 2)] },
    /is stored more than once/,
  ],
  [
    "what was acknowledged before another was sent stands behind it",
    { ackOne: [ack("1", [first, 3])] },
    /stands at 2, but 3 was acknowledged before it was sent/,
  ],
  ["an event is stored elsewhere", { ackTwo: [ack("2", [second, 3], [third, 2])] }, /^lost: /],
  ["a batch is out of order", { startTwo: [reversed(sound.startTwo)] }, /is not whole/],
  ["a position is missing", { storedOne: [stored(first, "r1", 2, 1)] }, /^position 2 follows 0/],
  ["an event was sent by nobody", { startOne: [], ackOne: [] }, /nobody sent it/],
  [
    "an event has another content",
    { storedThree: [{ ...sound.storedThree, event: otherName(sound.storedThree.event) }] },
    /\/data\/name is "Another"/,
  ],
  [
    "a refused event is stored",
    { ackTwo: [{ line: "refused", call: "2", code: "record-not-found" }] },
    /was refused, and is stored/,
  ],
  [
    "a cascade is stored in part",
    {
      startThree: [
        {
          ...{ line: "start", call: "3" },
          events: [{ ...withdrawal, position: undefined, data: { cause: "Wrong." } }],
        },
      ],
      opened: [{ ...sound.opened, head: 4 }],
      read: [
        {
          line: "stored",
          event: { ...withdrawal, data: { cause: "Wrong.", versions: { from: 1, to: 1 } } },
        },
        { ...sound.read, head: 4 },
      ],
    },
    /r2@1 is valid and rests on withdrawn r1/,
  ],
  [
    "an answer is not what the events make",
    { answer: [{ line: "answer", view: { ...sound.answer.view, status: "invalid" } }] },
    /\/status is "invalid"/,
  ],
  ["a store opens with damage", { opened: [{ ...sound.opened, damage: "log-gap" }] }, /log-gap/],
  ["a store does not verify", { opened: [{ ...sound.opened, verified: false }] }, /verify/],
  [
    "the events read before are others now",
    { openedAgain: [{ ...sound.openedAgain, previousRoot: "another" }] },
    /are not those read before/,
  ],
  [
    "an event reads otherwise the second time",
    { again: [{ line: "again", event: { ...sound.again.event, hash: "another" } }] },
    /reads otherwise than before/,
  ],
  ["a call failed", { ackOne: [{ line: "failed", call: "1", message: "" }] }, /call 1 failed/],
  ["an acknowledgement is never looked for", { read: [], readAgain: [] }, /never looked for/],
];

function reversed(line: typeof sound.startTwo): Line {
  return { ...line, events: line.events.toReversed() };
}

function otherName(event: typeof sound.storedThree.event): Line {
  return { ...event, data: { ...event.data, name: "Another" } };
}

test.each(broken)("a history is found broken when %s", async (_what, replaced, problem) => {
  const { status, problems } = await judge(replaced);
  expect(status).toBe(1);
  expect(problems).toContainEqual(expect.stringMatching(problem));
});

test("a history that cannot be read is no verdict", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "history.jsonl");
    await writeFile(path, "{\n");
    expect(runProgram("check-history.mjs", [path]).status).toBe(2);
    expect(runProgram("check-history.mjs", [join(directory, "missing.jsonl")]).status).toBe(2);
  });
});
