// Answers the benchmarks: reads a request a line from stdin, writes an answer a line to stdout, both JSON, until stdin ends.
// It runs in the Node of this package, because `node:sqlite` is younger than the oldest Node the store runs on.
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { openDatabase, sqliteVersion } from "./database.mjs";

const batchEvents = 1000;

/** Events by the file they stand in, so that every round finds them parsed. */
const parsed = new Map();

function eventsIn(file) {
  let events = parsed.get(file);
  if (events === undefined) {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    events = lines.map((line) => JSON.parse(line));
    parsed.set(file, events);
  }
  return events;
}

/** Databases that were filled to be read. */
const filled = new Map();

const tasks = {
  about: () => ({ sqlite: sqliteVersion(), node: process.version }),

  /** Appends all events of a file to a new database, `perTransaction` at a time. */
  append: ({ file, perTransaction, path }) => {
    const events = eventsIn(file);
    const db = openDatabase(path);
    const start = performance.now();
    for (let at = 0; at < events.length; at += perTransaction) {
      db.append(events.slice(at, at + perTransaction));
    }
    const seconds = (performance.now() - start) / 1000;
    db.close();
    return { eventsPerSecond: events.length / seconds };
  },

  fill: async ({ file, path }) => {
    const db = openDatabase(path);
    let batch = [];
    for await (const line of createInterface({ input: createReadStream(file) })) {
      batch.push(JSON.parse(line));
      if (batch.length === batchEvents) db.append(batch.splice(0));
    }
    if (batch.length > 0) db.append(batch);
    filled.set(path, db);
    return {};
  },

  /** Reads records of a filled database as of a position, each timed by itself. */
  read: ({ path, recordIds, position }) => {
    const db = filled.get(path);
    const microseconds = recordIds.map((recordId) => {
      const start = performance.now();
      db.recordAsOf(recordId, position);
      return (performance.now() - start) * 1000;
    });
    return { microseconds };
  },

  /** Makes the tags of a filled database searchable. */
  indexTags: ({ path }) => {
    filled.get(path).indexTags();
    return {};
  },

  /** Searches a filled database for tags, each search timed by itself. */
  searchTags: ({ path, searches }) => {
    const db = filled.get(path);
    const timed = searches.map((search) => {
      const start = performance.now();
      const { length } = db.searchTag(search);
      return { microseconds: (performance.now() - start) * 1000, count: length };
    });
    return {
      microseconds: timed.map(({ microseconds }) => microseconds),
      count: timed.reduce((sum, { count }) => sum + count, 0),
    };
  },

  /** Makes the indexes for questions about the lineage of a filled database. */
  indexLineage: ({ path }) => {
    filled.get(path).indexLineage();
    return {};
  },

  /** Asks a filled database for all ancestors of a record as of a position. */
  ancestors: ({ path, recordId, position }) => {
    const start = performance.now();
    const { length } = filled.get(path).ancestorsAsOf(recordId, position);
    return { milliseconds: performance.now() - start, count: length };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { task, ...request } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await tasks[task](request))}\n`);
}
