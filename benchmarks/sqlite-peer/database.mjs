// A store's facts in tables of SQLite, written in WAL mode and synced at every commit.
// It does less than a log, and all of that in its own favor: no event is validated, no row has a checksum, a payload's
// digest stands in no tree, and descendants have no index.
import { hash, randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

// What a log keeps: the events, which versions a record has had, and what each version was derived from.
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, record_id TEXT NOT NULL, version INTEGER NOT NULL,
    type TEXT NOT NULL, recorded_at INTEGER NOT NULL, payload TEXT NOT NULL, hash TEXT NOT NULL
  );
  CREATE TABLE record_versions (
    record_id TEXT NOT NULL, position INTEGER NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (record_id, position)
  ) WITHOUT ROWID;
  CREATE TABLE edges (
    position INTEGER NOT NULL, source_id TEXT NOT NULL, source_version INTEGER NOT NULL, relation TEXT NOT NULL,
    PRIMARY KEY (position, source_id, source_version)
  ) WITHOUT ROWID;
`;

// What a search by tag needs: which tags a record had from when until when, with an index by value.
const searchTables = `
  CREATE TABLE tags (
    record_id TEXT NOT NULL, key TEXT NOT NULL, value NOT NULL, begins INTEGER NOT NULL, ends INTEGER NOT NULL
  );
  INSERT INTO tags
    SELECT e.record_id, t.key, t.value, e.position, 9007199254740991
    FROM events e, json_each(e.payload, '$.tags') t;
  CREATE INDEX tags_by_value ON tags (key, value, begins, ends, record_id);
  ANALYZE;
`;

const recordsByTag = `
  SELECT record_id FROM tags
  WHERE key = :key AND value >= :from AND value <= :to AND begins <= :position AND ends > :position
  ORDER BY begins LIMIT :limit
`;

// What a question about lineage needs beside it; the figures of appends are taken without it.
const lineageIndexes = `
  CREATE UNIQUE INDEX versions_by_number ON record_versions (record_id, version, position);
  CREATE INDEX edges_by_source ON edges (source_id, source_version, position);
  ANALYZE;
`;

const ancestorsAsOf = `
  WITH RECURSIVE ancestors (record_id, version) AS (
    SELECT e.source_id, e.source_version
      FROM record_versions v JOIN edges e ON e.position = v.position
      WHERE v.record_id = :recordId AND v.version = 1 AND v.position <= :position
    UNION
    SELECT e.source_id, e.source_version
      FROM ancestors a
      JOIN record_versions v ON v.record_id = a.record_id AND v.version = a.version
      JOIN edges e ON e.position = v.position
      WHERE v.position <= :position
  )
  SELECT record_id, version FROM ancestors
`;

/** Opens an empty database in a file. */
export function openDatabase(path) {
  const db = new DatabaseSync(path);
  db.exec(schema);
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const insertEvent = db.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const insertVersion = db.prepare("INSERT INTO record_versions VALUES (?, ?, ?)");
  const insertEdge = db.prepare("INSERT INTO edges VALUES (?, ?, ?, ?)");
  const currentVersion = db.prepare(
    "SELECT version FROM record_versions WHERE record_id = ? ORDER BY position DESC LIMIT 1",
  );
  const eventAsOf = db.prepare(
    `SELECT e.position, e.version, e.type, e.recorded_at, e.payload
     FROM record_versions v JOIN events e ON e.position = v.position
     WHERE v.record_id = ? AND v.position <= ? ORDER BY v.position DESC LIMIT 1`,
  );
  const edgesOf = db.prepare(
    "SELECT source_id, source_version, relation FROM edges WHERE position = ?",
  );
  let head = 0;
  let ancestors;

  function insert({ recordId, type, data }, recordedAt) {
    const { derivedFrom = [], ...content } = data.document ?? data;
    head += 1;
    const version = (currentVersion.get(recordId)?.version ?? 0) + 1;
    const payload = JSON.stringify(content);
    const digest = hash("sha256", payload);
    insertEvent.run(head, randomUUID(), recordId, version, type, recordedAt, payload, digest);
    insertVersion.run(recordId, head, version);
    for (const source of derivedFrom) {
      const pinned = currentVersion.get(source.recordId).version;
      insertEdge.run(head, source.recordId, pinned, "wasDerivedFrom");
    }
  }

  /** A record as it was at a position, whole. */
  function recordAsOf(recordId, position) {
    const event = eventAsOf.get(recordId, position);
    const derivedFrom = edgesOf.all(event.position);
    return { ...event, payload: JSON.parse(event.payload), derivedFrom };
  }

  return {
    /** Appends events in one durable transaction: gives versions, pins sources, packs, hashes, inserts. */
    append(events) {
      begin.run();
      const recordedAt = Date.now() * 1000;
      for (const event of events) insert(event, recordedAt);
      commit.run();
    },

    recordAsOf,

    ...searches(db, recordAsOf),

    indexLineage() {
      db.exec(lineageIndexes);
    },

    /** Everything the first version of a record rests on as of a position. */
    ancestorsAsOf(recordId, position) {
      ancestors ??= db.prepare(ancestorsAsOf);
      return ancestors.all({ recordId, position });
    },

    close() {
      db.close();
    },
  };
}

/** What searches a database by tags. */
function searches(db, recordAsOf) {
  let byTag;
  return {
    /** Makes the tags of records that were created once, and not changed since, searchable. */
    indexTags() {
      db.exec(searchTables);
    },

    /** The records with a tag between two values as of a position, each read whole. */
    searchTag({ key, from, to, position, limit }) {
      byTag ??= db.prepare(recordsByTag);
      const found = byTag.all({ key, from, to, position, limit });
      return found.map((row) => recordAsOf(row.record_id, position));
    },
  };
}

/** The version of SQLite. */
export function sqliteVersion() {
  const db = new DatabaseSync(":memory:");
  const { version } = db.prepare("SELECT sqlite_version() AS version").get();
  db.close();
  return version;
}
