/** `sennit ingest`: what a stream of lines becomes, whatever the lines are. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { creation, eventId, ndjson, withShell, type Json, type Shell } from "./support.ts";

/** Ingests from standard input; lines may be refused. */
async function ingest(
  shell: Shell,
  input: string | Uint8Array | AsyncIterable<Uint8Array>,
  ...flags: readonly string[]
): Promise<Json> {
  const { code, stdout } = await shell.run(["ingest", "-", "--json", ...flags], { input });
  const summary = JSON.parse(stdout) as Json;
  expect(code).toBe(Number(summary["refused"]) > 0 ? 2 : 0);
  return summary;
}

async function recordIds(shell: Shell): Promise<unknown[]> {
  const { records } = await shell.json("list", "--limit", "10000");
  return (records ?? []).map(({ id }) => id);
}

test("a file of events is stored, and the summary has the documented shape", async () => {
  await withShell(async (shell) => {
    const events = [creation("a"), creation("b", ["a"]), creation("c", ["b"])];
    await writeFile(join(shell.directory, "events.ndjson"), ndjson(events));
    expect(await shell.json("ingest", "events.ndjson")).toEqual({
      stored: 3,
      duplicates: 0,
      refused: 0,
      head: 3,
      errors: [],
    });
    expect(await recordIds(shell)).toEqual(["a", "b", "c"]);
  });
});

test("line ends, blank lines, a byte order mark and a missing last line end make no difference", async () => {
  const lines = [creation("a"), creation("b"), creation("c")].map((event) => JSON.stringify(event));
  const forms = {
    "no final newline": lines.join("\n"),
    "carriage returns": `${lines.join("\r\n")}\r\n`,
    "blank lines": `\n\n${lines.join("\n  \n\r\n")}\n\n\t\n`,
    "byte order mark": `\ufeff${lines.join("\n")}\n`,
    "spaces around": lines.map((line) => `  ${line}\t`).join("\n"),
  };
  for (const [form, text] of Object.entries(forms)) {
    await withShell(async (shell) => {
      expect(await ingest(shell, text), form).toMatchObject({ stored: 3, refused: 0, head: 3 });
      expect(await recordIds(shell), form).toEqual(["a", "b", "c"]);
    });
  }
  await withShell(async (shell) => {
    expect(await ingest(shell, "")).toMatchObject({ stored: 0, head: 0 });
    expect(await ingest(shell, "\n\r\n \n")).toMatchObject({ stored: 0, head: 0 });
  });
});

test("lines cut anywhere by the stream, also inside a character, come out whole", async () => {
  await withShell(async (shell) => {
    const bytes = Buffer.from(ndjson([creation("日本語"), creation("ключ"), creation("🎉")]));
    async function* oneByOne(): AsyncGenerator<Uint8Array> {
      // One buffer used again and again, as a stream may do.
      const chunk = new Uint8Array(1);
      for (const byte of bytes) {
        chunk[0] = byte;
        yield chunk;
      }
    }
    expect(await ingest(shell, oneByOne())).toMatchObject({ stored: 3, refused: 0 });
    expect(await recordIds(shell)).toEqual(["日本語", "ключ", "🎉"]);
  });
});

test("each refused line is named with its number, code and pointer, and the others are stored", async () => {
  await withShell(async (shell) => {
    const data = { kind: "thing", name: "x" };
    const large = {
      ...creation("large"),
      data: { ...data, attributes: { x: "y".repeat(2 ** 20) } },
    };
    const bad: readonly (readonly [line: string | Uint8Array, code: string, pointer: string])[] = [
      ["{", "event-invalid", ""],
      ["nonsense", "event-invalid", ""],
      ["[1]", "event-invalid", ""],
      ["null", "event-invalid", ""],
      [Buffer.from([0x22, 0xff, 0xfe, 0x22]), "event-invalid", ""],
      ["x".repeat(9 * 1024 * 1024), "event-too-large", ""],
      [JSON.stringify(large), "event-too-large", ""],
      [JSON.stringify({ ...creation("x"), type: "record.create" }), "event-invalid", "/type"],
      [JSON.stringify({ ...creation("x"), positon: 1 }), "event-invalid", "/positon"],
      [JSON.stringify({ ...creation("x"), position: 1 }), "event-invalid", "/position"],
      [
        JSON.stringify({ ...creation("x"), data: { kind: "k", nam: "n" } }),
        "event-invalid",
        "/data/nam",
      ],
      [JSON.stringify({ ...creation("x"), id: "7" }), "event-invalid", "/id"],
      [JSON.stringify({ ...creation("x"), occurredAt: "now" }), "event-invalid", "/occurredAt"],
      [JSON.stringify({ ...creation("x\u0000") }), "event-invalid", "/recordId"],
      [JSON.stringify(creation("good-0")), "record-already-exists", "/recordId"],
      [JSON.stringify(creation("x", ["nobody"])), "source-unknown", "/data/derivedFrom/0"],
      [
        JSON.stringify({ type: "record.updated", recordId: "x", data: { patch: {} } }),
        "record-not-found",
        "/recordId",
      ],
      [
        JSON.stringify({
          type: "record.updated",
          recordId: "good-0",
          data: { patch: { kind: "other" } },
        }),
        "kind-immutable",
        "/data/patch/kind",
      ],
      [
        JSON.stringify({ ...creation("x"), expectedVersion: 4 }),
        "version-conflict",
        "/expectedVersion",
      ],
    ];
    const lines: Uint8Array[] = [Buffer.from(ndjson([creation("good-0")]))];
    bad.forEach(([line], index) => {
      lines.push(Buffer.concat([Buffer.from(line), Buffer.from("\n")]));
      lines.push(Buffer.from(ndjson([creation(`good-${index + 1}`)])));
    });
    const summary = await ingest(shell, Buffer.concat(lines));
    const good = Array.from({ length: bad.length + 1 }, (_, index) => `good-${index}`);
    const named = (summary["errors"] ?? []).map(({ line, code }) => [line, code]);
    expect(named.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(
      bad.map(([, code], index) => [2 * index + 2, code]),
    );
    for (const error of summary["errors"] ?? []) {
      expect(Object.keys(error)).toEqual(["line", "code", "message", "pointer", "hint"]);
    }
    expect(summary).toMatchObject({ stored: good.length, refused: bad.length, head: good.length });
    expect(await recordIds(shell)).toEqual(good);
    const pointers = new Map((summary["errors"] ?? []).map(({ line, pointer }) => [line, pointer]));
    const given = bad.map((_, index) => pointers.get(2 * index + 2));
    expect(given).toEqual(bad.map(([, , pointer]) => pointer));
  });
});

test("a field that is nearly known is suggested", async () => {
  await withShell(async (shell) => {
    const line = ndjson([
      { ...creation("x"), recordedID: "x" },
      { ...creation("y"), type: "record.creatd" },
    ]);
    const { errors } = await ingest(shell, line);
    expect(errors?.[0]?.["message"]).toContain("recordId");
    expect(errors?.[1]?.["message"]).toContain("record.created");
  });
});

test("text answers name each refused line on stderr and the sums on stdout", async () => {
  await withShell(async (shell) => {
    const input = ndjson([creation("a"), creation("a"), creation("b")]);
    const { code, stdout, stderr } = await shell.run(["ingest", "-"], { input });
    expect(code).toBe(2);
    expect(stdout).toBe("stored 2, duplicates 0, refused 1, head at 2\n");
    expect(stderr).toMatch(/^line 2: record-already-exists: .*\nhint: .*\n$/);
  });
});

test("of many refused lines a person sees the first ones, a hint once, and how many there are", async () => {
  await withShell(async (shell) => {
    const input = "x\n".repeat(5000) + ndjson([creation("a")]);
    const { code, stdout, stderr } = await shell.run(["ingest", "-"], { input });
    expect(code).toBe(2);
    expect(stdout).toBe("stored 1, duplicates 0, refused 5000, head at 1\n");
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(22);
    expect(lines.filter((line) => line.startsWith("hint: "))).toHaveLength(1);
    expect(lines.at(-1)).toContain("4980");
    const all = await shell.run(["ingest", "-", "--results"], { input });
    expect(all.stderr.match(/^line \d+: event-invalid: /gm)).toHaveLength(5000);
  });
});

test("what is no text is refused as a whole, and of garbage of any length little is shown", async () => {
  await withShell(async (shell) => {
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    const zipped = gzipSync(ndjson([creation("a")]));
    const wide = Buffer.from(`\ufeff${ndjson([creation("a")])}`, "utf16le");
    for (const input of [png, zipped, wide]) {
      await writeFile(join(shell.directory, "input"), input);
      for (const path of ["-", "input"]) {
        const refusal = await shell.refusal(["ingest", path], { input });
        expect(refusal).toMatchObject({ exit: 2, code: "file-unreadable", details: { path } });
      }
    }
    for (const length of [1_000_000, 10_000_000]) {
      const { code, stderr } = await shell.run(["ingest", "-"], {
        input: "\u0007x".repeat(length),
      });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^line 1: event-(invalid|too-large): .*\nhint: .*\n$/);
      expect(stderr.length).toBeLessThan(1000);
    }
    expect(await shell.json("log")).toEqual({ asOf: 0, events: [] });
  });
});

test("of JSON that stands in an array or on many lines it is said how it becomes lines", async () => {
  await withShell(async (shell) => {
    for (const [text, filter] of [
      [JSON.stringify([creation("a")]), "'.[]'"],
      [JSON.stringify([creation("a")], undefined, 2), "'.[]'"],
      [JSON.stringify(creation("a"), undefined, 2), "."],
    ] as const) {
      await writeFile(join(shell.directory, "events.json"), text);
      const { code, stderr } = await shell.run(["ingest", "events.json"]);
      expect(code).toBe(2);
      expect(stderr).toContain(`jq -c ${filter} events.json | sennit ingest -`);
    }
    const { stderr } = await shell.run(["ingest", "-"], { input: `{"a":1}\n` });
    expect(stderr).not.toContain("jq");
  });
});

test("--results tells what became of each line, to people and to programs", async () => {
  await withShell(async (shell) => {
    const event = { ...creation("a"), id: eventId(1) };
    const input = `${ndjson([event, event])}x\n`;
    const { stdout, stderr } = await shell.run(["ingest", "-", "--results"], { input });
    expect(stdout).toBe(
      [
        "line 1: stored a@1 at position 1",
        "line 2: duplicate a@1 at position 1",
        "stored 1, duplicates 1, refused 1, head at 1\n",
      ].join("\n"),
    );
    expect(stderr).toMatch(/^line 3: event-invalid: /);
    const told = await shell.run(["ingest", "-", "--results", "--json"], { input });
    const lines = told.stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as Json)).toMatchObject([
      { line: 1, status: "duplicate", eventId: eventId(1), position: 1 },
      { line: 2, status: "duplicate" },
      { line: 3, status: "refused", code: "event-invalid" },
      { summary: { stored: 0, duplicates: 2, refused: 1, head: 1 } },
    ]);
  });
});

test("the first 1000 refused lines are named and all are counted", async () => {
  await withShell(async (shell) => {
    const { refused, errors } = await ingest(shell, "x\n".repeat(1500));
    expect(refused).toBe(1500);
    expect(errors).toHaveLength(1000);
  });
});

test("refused lines are named in their order, in words of the line and not of its batch", async () => {
  await withShell(async (shell) => {
    const lines = [
      JSON.stringify(creation("a")),
      JSON.stringify(creation("a")),
      "{",
      JSON.stringify({ ...creation("b"), actor: "ann" }),
      JSON.stringify({ type: "record.updated", recordId: "a", data: { patch: { kind: "k" } } }),
    ];
    const alone = await ingest(shell, lines.join("\n"), "--batch", "1");
    expect(alone["errors"]?.map(({ line }) => line)).toEqual([2, 3, 5]);
    await withShell(async (other) => {
      expect(await ingest(other, lines.join("\n"))).toEqual(alone);
    });
  });
});

test("the lines named are the first ones, also when a batch is refused after lines behind it", async () => {
  await withShell(async (shell) => {
    const input = ndjson([creation("a"), creation("a")]) + "x\n".repeat(2500);
    const { refused, errors } = await ingest(shell, input, "--batch", "10000");
    expect(refused).toBe(2501);
    expect(errors?.map(({ line }) => line)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index + 2),
    );
  });
});

test("of a refused line no more than a few hundred characters are told", async () => {
  await withShell(async (shell) => {
    const input = ndjson([{ ...creation("x"), ["m".repeat(5_000_000)]: 1 }]);
    const { errors } = await ingest(shell, input);
    expect(errors).toMatchObject([{ line: 1, code: "event-invalid" }]);
    expect(String(errors?.[0]?.["pointer"])).toMatch(/^\/m{10,}/);
    expect(JSON.stringify(errors).length).toBeLessThan(1500);
  });
});

test("a line that holds an integer with too many digits, or a member twice, is refused and says where", async () => {
  await withShell(async (shell) => {
    const line = (attributes: string) =>
      `{"type":"record.created","recordId":"r","data":{"kind":"k","name":"n","attributes":${attributes}}}\n`;
    const input = line('{"n":[1,12345678901234567890]}') + line('{"a":1,"b":{"a":2},"a":3}');
    expect(await ingest(shell, input)).toMatchObject({
      stored: 0,
      errors: [
        { line: 1, code: "event-invalid", pointer: "/data/attributes/n/1" },
        { line: 2, code: "event-invalid", pointer: "/data/attributes/a" },
      ],
    });
    const held = '{"n":[9007199254740991,-9007199254740991],"t":"12345678901234567890"}';
    expect(await ingest(shell, line(held))).toMatchObject({ stored: 1 });
    expect(await shell.json("show", "r")).toMatchObject({ attributes: JSON.parse(held) as object });
  });
});

test("whatever lines are refused, all others are stored, in their order", async () => {
  for (const isBad of [
    () => true,
    (index: number) => index % 2 === 0,
    (index: number) => index > 40 && index < 90,
    (index: number) => index % 17 === 16,
  ]) {
    await withShell(async (shell) => {
      const numbers = Array.from({ length: 150 }, (_, index) => index);
      const events = numbers.map((index) => creation(isBad(index) ? "taken" : `r${index}`));
      await shell.text("create", "thing", "x", "--id", "taken");
      const { errors, stored } = await ingest(shell, ndjson(events), "--batch", "64");
      const bad = numbers.filter((index) => isBad(index));
      expect(errors?.map(({ line }) => line)).toEqual(bad.map((index) => index + 1));
      expect(stored).toBe(150 - bad.length);
      const good = numbers.filter((index) => !isBad(index)).map((index) => `r${index}`);
      expect(await recordIds(shell)).toEqual(["taken", ...good]);
    });
  }
});

test("--atomic tells refused lines from those that only fell with them", async () => {
  await withShell(async (shell) => {
    const input = `${ndjson([creation("a"), creation("b")])}x\n`;
    const { stderr } = await shell.run(["ingest", "-", "--atomic"], { input });
    expect(stderr).toMatch(/^line 3: event-invalid: .*\nhint: .*\nand 2 others were not stored\n$/);
  });
});

test("events with ids can be sent again, and an id never names two events", async () => {
  await withShell(async (shell) => {
    const events = [1, 2, 3].map((number) => ({ ...creation(`r${number}`), id: eventId(number) }));
    expect(await ingest(shell, ndjson(events.slice(0, 2)))).toMatchObject({ stored: 2 });
    const again = await ingest(shell, ndjson(events));
    expect(again).toMatchObject({ stored: 1, duplicates: 2, refused: 0, head: 3 });
    const other = { ...creation("r4"), id: eventId(1) };
    const reused = await ingest(shell, ndjson([other, creation("r5")]));
    expect(reused).toMatchObject({
      stored: 1,
      refused: 1,
      errors: [{ line: 1, code: "event-id-reused" }],
    });
    expect(await recordIds(shell)).toEqual(["r1", "r2", "r3", "r5"]);
  });
});

test("a batch size changes nothing but the batches", async () => {
  const events = Array.from({ length: 25 }, (_, index) =>
    creation(`r${index}`, index === 0 ? [] : [`r${index - 1}`]),
  );
  // The line that is refused parts its batch in two.
  const batches = { "1": 26, "7": 5, "25": 2, "10000": 2 };
  for (const [batch, writes] of Object.entries(batches)) {
    await withShell(async (shell) => {
      const lines = ndjson([...events, creation("r3"), creation("last")]);
      expect(await ingest(shell, lines, "--batch", batch), batch).toMatchObject({
        stored: 26,
        refused: 1,
        head: 26,
        errors: [{ line: 26, code: "record-already-exists" }],
      });
      const log = await shell.json("log");
      const times = new Set((log["events"] ?? []).map(({ recordedAt }) => recordedAt));
      expect(times.size, batch).toBe(writes);
    });
  }
});

test("--atomic stores all or nothing, whatever is wrong and wherever it stands", async () => {
  const good = ndjson([creation("a"), creation("b", ["a"])]);
  const wrong = {
    "not JSON": "{\n",
    "an unknown source": ndjson([creation("c", ["nobody"])]),
    "a record that is there": ndjson([creation("a")]),
    "an oversize line": `${"x".repeat(9 * 1024 * 1024)}\n`,
  };
  for (const [what, line] of Object.entries(wrong)) {
    for (const input of [line + good, good + line]) {
      await withShell(async (shell) => {
        const summary = await ingest(shell, input, "--atomic");
        expect(summary, what).toMatchObject({ stored: 0, refused: 3, head: 0 });
        expect(summary["errors"], what).toHaveLength(1);
        expect(await shell.json("log"), what).toEqual({ asOf: 0, events: [] });
      });
    }
  }
  await withShell(async (shell) => {
    expect(await ingest(shell, good, "--atomic")).toMatchObject({ stored: 2, head: 2 });
    const { events } = await shell.json("log");
    expect(events?.[0]?.["recordedAt"]).toBe(events?.[1]?.["recordedAt"]);
  });
});

test("--atomic refuses more events than a batch may hold and stores none", async () => {
  await withShell(async (shell) => {
    const events = Array.from({ length: 10_001 }, (_, index) => creation(`r${index}`));
    const refusal = await shell.refusal(["ingest", "-", "--atomic"], { input: ndjson(events) });
    expect(refusal).toMatchObject({ exit: 2, code: "batch-too-large", details: { line: 10_001 } });
    expect(await shell.json("log")).toEqual({ asOf: 0, events: [] });
  });
});

test("large events that together exceed a batch are spread over several", async () => {
  await withShell(async (shell) => {
    const events = Array.from({ length: 40 }, (_, index) => ({
      type: "record.created",
      recordId: `r${index}`,
      data: { kind: "thing", name: "x", attributes: { x: "y".repeat(600_000) } },
    }));
    expect(await ingest(shell, ndjson(events))).toMatchObject({ stored: 40, refused: 0, head: 40 });
  });
});

test("--actor is set on events that name none", async () => {
  await withShell(async (shell) => {
    const events = [creation("a"), { ...creation("b"), actor: "bo" }];
    await ingest(shell, ndjson(events), "--actor", "ann");
    const log = await shell.json("log");
    expect(log["events"]).toMatchObject([{ actor: "ann" }, { actor: "bo" }]);
  });
});

test("an actor that cannot be stored refuses the whole before anything is stored", async () => {
  await withShell(async (shell) => {
    for (const actor of ["", "a\nb", "x".repeat(600)]) {
      const words = ["ingest", "-", "--actor", actor];
      const refusal = await shell.refusal(words, { input: ndjson([creation("a")]) });
      expect(refusal).toMatchObject({ exit: 2, code: "event-invalid" });
    }
    expect(await shell.json("log")).toEqual({ asOf: 0, events: [] });
  });
});

test("stopping keeps what was stored, says so, and the rest can follow", async () => {
  await withShell(async (shell) => {
    const events = Array.from({ length: 50 }, (_, index) => ({
      ...creation(`r${index}`),
      id: eventId(index),
    }));
    const stop = new AbortController();
    async function* interrupted(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(ndjson(events.slice(0, 20)));
      stop.abort();
      yield Buffer.from(ndjson(events.slice(20)));
    }
    const words = ["ingest", "-", "--batch", "5", "--json"];
    const answer = await shell.run(words, { input: interrupted(), signal: stop.signal });
    expect(answer.code).toBe(130);
    expect(JSON.parse(answer.stderr)).toMatchObject({ code: "aborted" });
    expect(await recordIds(shell)).toHaveLength(20);
    const again = await ingest(shell, ndjson(events));
    expect(again).toMatchObject({ stored: 30, duplicates: 20, head: 50 });
  });
});

test("progress is shown in one line of stderr, on a terminal only", async () => {
  await withShell(async (shell) => {
    const input = (from: number) => ndjson([creation(`r${from}`), creation(`r${from + 1}`)]);
    const words = ["ingest", "-", "--batch", "1"];
    const seen = await shell.run(words, { input: input(0), isInteractive: true });
    expect(seen.stderr).toMatch(/^\r/);
    expect(seen.stderr).not.toContain("\n");
    const quiet = await shell.run(words, { input: input(2) });
    expect(quiet.stderr).toBe("");
  });
});

test("a file that cannot be read is refused", async () => {
  await withShell(async (shell) => {
    for (const path of ["nowhere.ndjson", "."]) {
      const refusal = await shell.refusal(["ingest", path]);
      expect(refusal).toMatchObject({ exit: 2, code: "file-unreadable" });
    }
  });
});
