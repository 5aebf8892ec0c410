/** Questions about the past on the command line: blame, and what would have fallen had it been known. */
import { expect, test } from "vitest";

import { withShell, type Shell } from "./support.ts";

/** A calibration, a scan on it, its revision, and a decision on the scan. */
async function story(shell: Shell): Promise<void> {
  await shell.text("create", "calibration", "c", "--id", "cal", "--attr", '{"gain":{"x":1,"y":2}}');
  await shell.text("create", "scan", "s", "--id", "scan", "--from", "cal");
  await shell.text("update", "cal", "--set", "attributes.gain.x=3", "--reason", "drift");
  await shell.text("create", "decision", "d", "--id", "decision", "--from", "scan");
}

test("blame prints who set each field and why, as of any instant", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const text = await shell.text("blame", "calibration/c");
    const line = text.split("\n").find((row) => row.includes("/attributes/gain/x"));
    expect(line).toMatch(/^ +2 +3 +2026-03-02 10:03:00Z +\/attributes\/gain\/x +3 +drift$/);
    expect(text).toMatch(/^ +1 +1 .*\/attributes\/gain\/y +2$/m);
    const { stdout, stderr } = await shell.run(["blame", "cal", "--as-of", "2"]);
    expect(stdout).toMatch(/\/attributes +\{"gain":\{"x":1,"y":2\}\}/);
    expect(stderr).toBe("as of position 2\n");
    await shell.text("erase", "cal", "--cause", "consent withdrawn");
    expect(await shell.text("blame", "cal")).toMatch(
      /^The content of cal@2 was erased at position 5: consent withdrawn\n.*\n.*\/kind +"calibration" +\(erased\)\n.*\/derivedFrom/,
    );
    expect((await shell.refusal(["blame", "nothing"])).code).toBe("record-not-found");
  });
});

test("impact --at prints what would have fallen then, and what was made on top of it since", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const text = await shell.text("impact", "cal", "--at", "2026-03-02T10:02:30Z");
    expect(text).toContain(
      "at position 2 it would have withdrawn the record itself and 1 record that",
    );
    expect(text).toMatch(
      /1 version made since then rests on it\n.*\n +4 .*decision@1 +decision +d +scan@1/,
    );
    expect(await shell.text("impact", "decision", "--at", "4")).toContain(
      "nothing made since then rests on it",
    );
    const refused = await shell.refusal(["impact", "cal", "--at", "9"]);
    expect(refused.code).toBe("as-of-ahead-of-head");
    const late = await shell.refusal(["impact", "cal", "--at", "4", "--as-of", "2"]);
    expect(late.code).toBe("argument-invalid");
  });
});

test("timeline draws bars of the events of each bucket, as of any instant", async () => {
  await withShell(async (shell) => {
    expect(await shell.run(["timeline"])).toMatchObject({ code: 0, stderr: "No events there.\n" });
    await story(shell);
    const hours = await shell.text("timeline", "--bucket", "hour", "--by", "kind");
    expect(hours).toMatch(/^HOUR +KIND +EVENTS\n2026-03-02 10:00Z +calibration +2 +#{40}\n/);
    expect(hours).toMatch(/2026-03-02 10:00Z +scan +1 +#{20}$/m);
    expect(await shell.json("timeline", "--as-of", "2", "--by", "type")).toEqual({
      asOf: 2,
      bucket: "day",
      by: ["type"],
      rows: [{ start: "2026-03-02T00:00:00.000000Z", type: "record.created", events: 2 }],
    });
    const some = ["timeline", "--kind", "calibration", "--type", "updated", "--bucket", "minute"];
    expect((await shell.json(...some))["rows"]).toEqual([
      { start: "2026-03-02T10:04:00.000000Z", events: 1 },
    ]);
    expect((await shell.json("timeline", "--who", "nobody"))["rows"]).toEqual([]);
    expect((await shell.json("timeline", "--to", "2026-03-01T00:00:00Z"))["rows"]).toEqual([]);
    for (const flag of ["--from", "--to"]) {
      const whole = await shell.json("timeline", "--bucket", "hour");
      const day = await shell.json("timeline", "--bucket", "hour", flag, "2026-03-02");
      expect(day["rows"]).toEqual(whole["rows"]);
    }
    expect((await shell.json("timeline", "--from", "2026-03-03"))["rows"]).toEqual([]);
    expect((await shell.json("timeline", "--to", "2026-03-01"))["rows"]).toEqual([]);
    expect((await shell.refusal(["timeline", "--from", "2026-02-30"])).details).toMatchObject({
      flag: "--from",
    });
    for (const words of [
      ["--bucket", "year"],
      ["--by", "kind", "--by", "kind"],
      ["--by", "name"],
      ["--type", "x"],
      ["--from", "x"],
    ]) {
      expect((await shell.refusal(["timeline", ...words])).code).toBe("argument-invalid");
    }
  });
});

test("the changes between two instants are laid out on a terminal as every other answer", async () => {
  await withShell(async (shell) => {
    await story(shell);
    for (const from of ["0", "2", "4"]) {
      const words = ["diff", "--from", from, "--json"];
      const { stdout } = await shell.run(words, { isColorful: true });
      const plain = (await shell.run(words)).stdout;
      expect(stdout).toBe(`${JSON.stringify(JSON.parse(plain), undefined, 2)}\n`);
      expect(plain).toBe(`${JSON.stringify(JSON.parse(plain))}\n`);
    }
  });
});

test("history tells some versions at a time", async () => {
  await withShell(async (shell) => {
    await story(shell);
    const { stdout, stderr } = await shell.run(["history", "cal", "--limit", "1"]);
    expect([stdout.split("\n").length, stderr]).toEqual([3, "More with: --after 1\n"]);
    const page = await shell.json("history", "cal", "--after", "1");
    expect(page["nextAfter"]).toBeUndefined();
    expect((page.versions ?? []).map(({ version }) => version)).toEqual([2]);
    expect((await shell.refusal(["history", "cal", "--limit", "0"])).code).toBe("argument-invalid");
  });
});
