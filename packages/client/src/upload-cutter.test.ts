/** What is cut out of a stream is what was in it. */
import { expect, test } from "vitest";

import { UploadCutter } from "./upload-cutter.ts";

test("lines of any number are sent as they came, each in one request", () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `${index}${"x".repeat(index % 7)}`);
  const bytes = new TextEncoder().encode(lines.join("\n"));
  for (const linesMax of [Infinity, 3000]) {
    const cutter = new UploadCutter({ linesMax, bytesMax: Infinity, withIds: false });
    const uploads = [0, 1001, 20_000].flatMap((from, index, starts) => [
      ...cutter.cut(bytes.subarray(from, starts[index + 1])),
    ]);
    uploads.push(...[cutter.rest() ?? []].flat());
    const firstLines = uploads.map(({ firstLine }) => firstLine);
    expect(firstLines).toEqual(linesMax === Infinity ? [1] : [1, 3001]);
    const text = uploads.map(({ body }) => new TextDecoder().decode(body)).join("");
    expect(text === `${lines.join("\n")}\n`).toBe(true);
    expect(cutter.bytes).toBe(0);
  }
});
