/** Views that are deleted, damaged, or of another log or version are made again, and never answer wrongly. */
import { cp, mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { openStore, type EmbeddedStore } from "@sennit/core";
import { openLevelStorage } from "@sennit/core/storage";
import { codeOf, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { recordsProjection } from "./read-models/records.ts";
import { openBuildDirectory } from "./builds.ts";
import { checkpointEntry, readCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { creations, expectFolded, progressOf, tally } from "./testing/tally.ts";
import { openViews, type Views } from "./views.ts";

const eventCount = 50;

/** A closed store with views that are caught up. */
async function withViews(use: (location: string, views: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const location = join(directory, "store");
    await inViews(location, async (views, store) => {
      await store.append(creations(eventCount));
      await views.caughtUp();
    });
    await use(location, join(location, "views"));
  });
}

async function inViews(
  location: string,
  use: (views: Views, store: EmbeddedStore) => Promise<void>,
  projection = tally,
): Promise<void> {
  const store = await openStore(location);
  const views = await openViews(store, { projections: [projection] });
  await use(views, store);
  await views.close();
  await store.close();
}

async function expectWhole(location: string): Promise<void> {
  await inViews(location, async (views, store) => {
    await views.caughtUp();
    expect(progressOf(views, "tally").position).toBe(store.head);
    await expectFolded(store, views, tally);
    await expectFolded(store, views, recordsProjection);
    expect((await (await views.at()).list({ tags: { number: "7" } })).records).toHaveLength(1);
  });
}

/** The directory of the build of a projection that answers. */
async function buildOf(views: string, name: string): Promise<string> {
  const place = await openBuildDirectory(views);
  const { directory = "" } = place.builds.get(name)?.serving ?? {};
  place.close();
  return join(views, directory);
}

async function changeStorage(
  views: string,
  name: string,
  change: (storage: Awaited<ReturnType<typeof openLevelStorage>>) => Promise<void>,
): Promise<void> {
  const storage = await openLevelStorage(await buildOf(views, name), { create: false });
  await change(storage);
  await storage.close();
}

test("a views directory that was deleted is made again", async () => {
  expect.hasAssertions();
  await withViews(async (location, views) => {
    await rm(views, { recursive: true });
    await expectWhole(location);
  });
});

test("a views directory that is a file is made again", async () => {
  expect.hasAssertions();
  await withViews(async (location, views) => {
    await rm(views, { recursive: true });
    await writeFile(views, "not a directory");
    await expectWhole(location);
  });
});

test("a views directory full of garbage is made again", async () => {
  expect.hasAssertions();
  await withViews(async (location, views) => {
    await rm(views, { recursive: true });
    await mkdir(views);
    for (const name of ["CURRENT", "MANIFEST-000002", "000003.log"]) {
      await writeFile(join(views, name), "garbage");
    }
    await expectWhole(location);
  });
});

test("views of which any one file is missing or cut short are whole again", async () => {
  expect.hasAssertions();
  await withViews(async (location, views) => {
    const saved = `${location}-views`;
    await cp(views, saved, { recursive: true });
    const items = await readdir(saved, { recursive: true, withFileTypes: true });
    const files = items.filter((item) => item.isFile());
    expect(files.length).toBeGreaterThan(8);
    for (const { name: file, parentPath } of files) {
      const name = relative(saved, join(parentPath, file));
      for (const spoil of [rm, (path: string) => truncate(path, 3)]) {
        await rm(views, { recursive: true });
        await cp(saved, views, { recursive: true });
        await spoil(join(views, name));
        await expectWhole(location);
      }
    }
  });
});

test("a checkpoint that cannot be read rebuilds its projection", async () => {
  await withViews(async (location, views) => {
    await changeStorage(views, "tally", async (storage) => {
      const [key] = checkpointEntry({} as Checkpoint);
      await storage.write({ puts: [[key, Buffer.from("garbage")]] });
    });
    await inViews(location, async (opened) => {
      expect(progressOf(opened, "tally").position).toBe(0);
      expect(progressOf(opened, "records").position).toBe(eventCount);
    });
    await expectWhole(location);
  });
});

test("a checkpoint of another log rebuilds", async () => {
  expect.hasAssertions();
  await withViews(async (location, views) => {
    const other = `${location}-other`;
    await inViews(other, async (opened, store) => {
      await store.append(creations(eventCount + 5, 100));
      await opened.caughtUp();
    });
    await rm(views, { recursive: true });
    await cp(join(other, "views"), views, { recursive: true });
    // Once behind the other log's checkpoint, once before it.
    await expectWhole(location);
    await rm(views, { recursive: true });
    await cp(join(other, "views"), views, { recursive: true });
    await inViews(location, async (_views, store) => {
      await store.append(creations(10, eventCount));
    });
    await expectWhole(location);
  });
});

test("another version rebuilds, and leaves the other projections alone", async () => {
  await withViews(async (location, directory) => {
    const second = { ...tally, version: 2 };
    await inViews(
      location,
      async (views, store) => {
        expect(progressOf(views, "tally").position).toBe(0);
        expect(progressOf(views, "records").position).toBe(eventCount);
        await views.caughtUp();
        await expectFolded(store, views, second);
      },
      second,
    );
    await changeStorage(directory, "tally", async (storage) => {
      expect(readCheckpoint(storage)).toMatchObject({ version: 2, position: eventCount });
    });
    await expectWhole(location);
  });
});

test("rows of projections that are not open now are kept", async () => {
  await withViews(async (location) => {
    const store = await openStore(location);
    const without = await openViews(store);
    await without.caughtUp();
    await without.close();
    const views = await openViews(store, { projections: [tally] });
    expect(progressOf(views, "tally").position).toBe(eventCount);
    await expectFolded(store, views, tally);
    await views.close();
    await store.close();
  });
});

/** Flips the last byte of every row of a projection. */
async function flipRows(directory: string, name: string): Promise<void> {
  await changeStorage(directory, name, async (storage) => {
    const range = { from: Buffer.from("r"), until: Buffer.from("s") };
    for await (const chunk of storage.scan(range)) {
      const puts = chunk.map(([key, value]) => {
        const flipped = Buffer.from(value);
        flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
        return [key, flipped] as const;
      });
      await storage.write({ puts });
    }
  });
}

test("a flipped byte in a row is an error once and never an answer; then the row is whole", async () => {
  await withViews(async (location, directory) => {
    await flipRows(directory, "records");
    await inViews(location, async (views, store) => {
      const reader = await views.at();
      expect(await codeOf(() => reader.list({ kind: "k" }))).toBe("checksum-mismatch");
      const again = await views.at();
      expect((await again.list({ kind: "k" })).records).toHaveLength(eventCount);
      await expectFolded(store, views, recordsProjection);
      // A reader from before answers from the rows made anew.
      expect((await reader.list({ kind: "k" })).records).toHaveLength(eventCount);
    });
    await expectWhole(location);
  });
});

test("a damaged row met while folding rebuilds the projection instead of stopping it", async () => {
  await withViews(async (location, directory) => {
    await flipRows(directory, "tally");
    await inViews(location, async (views, store) => {
      await store.append(creations(1, eventCount));
      await views.caughtUp();
      expect(progressOf(views, "tally")).toMatchObject({ position: eventCount + 1, failure: null });
      await expectFolded(store, views, tally);
    });
    await expectWhole(location);
  });
});

test("views of a store that is open elsewhere are left alone", async () => {
  await withViews(async (location) => {
    await inViews(location, async (_views, store) => {
      expect(await codeOf(() => openViews(store))).toBe("store-locked");
    });
    await expectWhole(location);
  });
});

test("what is no build is left where it is, and files of views as they used to be are removed", async () => {
  await withViews(async (location, views) => {
    await mkdir(join(views, "backup"));
    for (const name of ["notes.txt", "backup/precious", "000005.ldb", "CURRENT", "LOG.old"])
      await writeFile(join(views, name), "content");
    await expectWhole(location);
    const names = await readdir(views);
    expect(names).toContain("notes.txt");
    expect(await readdir(join(views, "backup"))).toEqual(["precious"]);
    for (const name of ["000005.ldb", "CURRENT", "LOG.old"]) expect(names).not.toContain(name);
  });
});
