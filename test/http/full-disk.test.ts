/** What a server answers while its disk is full, and that all of it is answered again when there is space. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { created, newEventId, openStore } from "@sennit/core";
import { eventually } from "@sennit/core/testing";
import { startServer } from "@sennit/server";
import { expect, test } from "vitest";

import { onSmallDisk } from "../support/small-disk.ts";

const megabyte = 1024 * 1024;

function big(recordId: string): object {
  // Random text, so that compressing it frees nothing.
  const text = Array.from({ length: 400 }, () => newEventId()).join("");
  return created(recordId, { kind: "thing", name: recordId, attributes: { text } });
}

/** Questions of the present that the log alone answers. */
const ofTheLog = [
  "/v1/store",
  "/v1/records/first",
  "/v1/records/first/history",
  "/v1/records/first/lineage",
  "/v1/records/first/impact",
  "/v1/events?limit=1&reverse=true",
  "/v1/state",
  "/v1/summary",
  "/v1/checkpoint",
  "/v1/export",
  "/v1/projections",
  "/metrics",
];

/** Questions that read models answer. */
const ofReadModels = [
  "/v1/records",
  "/v1/records/thing%2Ffirst",
  "/v1/stale",
  "/v1/timeline",
  "/v1/labels",
];

test("with a full disk the log is read on, read models answer for what they have, and nothing is written", (context) =>
  onSmallDisk(context, 12 * megabyte, async (disk) => {
    const directory = join(disk, "store");
    await (await openStore(directory)).close();
    const server = await startServer({ directory, port: 0 });
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(server.url + path, init);
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      const code =
        isJson && response.status >= 400 ? (JSON.parse(text) as { code?: string }).code : null;
      return [response.status, code, text.slice(0, 200)] as const;
    };
    const append = (event: object) =>
      ask("/v1/events", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(event),
      });
    try {
      await append(created("first", { kind: "thing", name: "first" }));
      expect((await ask("/v1/records"))[0]).toBe(200);
      const ballast = join(disk, "ballast");
      await writeFile(ballast, Buffer.alloc(7 * megabyte));
      for (let n = 0; ; n += 1) if ((await append(big(`r${n}`)))[0] !== 200) break;
      expect((await append(big("x"))).slice(0, 2)).toEqual([503, "disk-full"]);
      const notReady = [503, undefined, '{"ready":false,"reasons":["disk-full"]}'];
      expect(await ask("/readyz")).toEqual(notReady);
      const statuses = async (paths: readonly string[]) => {
        const answers: unknown[] = [];
        for (const path of paths) answers.push([path, ...(await ask(path)).slice(0, 2)]);
        return answers;
      };
      const answered = (paths: readonly string[]) => paths.map((path) => [path, 200, null]);
      expect(await statuses(ofTheLog)).toEqual(answered(ofTheLog));
      // Rows are smaller than events: what is left may be too little for the log, and enough for them.
      for (const path of ofReadModels) {
        const [status, code] = await ask(path);
        expect(["200 null", "503 disk-full"]).toContain(`${status} ${code}`);
      }
      const ofThen = ofReadModels.map((path) => `${path}?as-of=1`);
      expect(await statuses(ofThen)).toEqual(answered(ofThen));
      // Nobody asks anything else of a server that is not ready.
      expect(await ask("/readyz")).toEqual(notReady);
      await rm(ballast);
      await eventually(async () => expect((await ask("/readyz"))[0]).toBe(200));
      expect(await statuses(ofReadModels)).toEqual(answered(ofReadModels));
    } finally {
      await server.close();
    }
  }));
