/** The rows of a stream: the events of `event` and `event_page` documents, and what is remembered of all of them. */
import { createHash } from "node:crypto";

import { canonicalJson, formatTimestamp, type JsonValue } from "@sennit/core";

import type { BlueskyDocument } from "./documents.ts";
import {
  arrayValue,
  countValue,
  objectValue,
  textMember,
  textValue,
  timeMember,
  timeValue,
  type JsonObject,
} from "./members.ts";

/** One event of a stream. */
export interface Row {
  readonly uid: string;
  /** Where the uid stands in the file. */
  readonly pointer: string;
  readonly seqNum: number;
  /** Microseconds since the epoch. */
  readonly timeUs: number;
  /** What is hashed: the members `data`, `seq_num`, `time` and `timestamps` of the event. */
  readonly content: JsonObject;
}

/** The row of an `event` document, or the rows of an `event_page`. @throws `import-invalid` */
export function rowsOf(document: BlueskyDocument): readonly Row[] {
  return document.name === "event_page" ? pageRows(document) : [eventRow(document)];
}

function eventRow(document: BlueskyDocument): Row {
  const { body, pointer } = document;
  return {
    uid: textMember(document, "uid"),
    pointer: `${pointer}/uid`,
    seqNum: countValue(body["seq_num"], `${pointer}/seq_num`),
    timeUs: timeMember(document),
    content: {
      seq_num: body["seq_num"],
      time: body["time"],
      data: objectValue(body["data"], `${pointer}/data`),
      timestamps: objectValue(body["timestamps"], `${pointer}/timestamps`),
    },
  };
}

function pageRows({ body, pointer }: BlueskyDocument): readonly Row[] {
  const uids = arrayValue(body["uid"], `${pointer}/uid`);
  const column = (member: string) => arrayValue(body[member], `${pointer}/${member}`, uids.length);
  const seqNums = column("seq_num");
  const times = column("time");
  const data = columns(body["data"], `${pointer}/data`, uids.length);
  const timestamps = columns(body["timestamps"], `${pointer}/timestamps`, uids.length);
  return uids.map((uid, index) => ({
    uid: textValue(uid, `${pointer}/uid/${index}`),
    pointer: `${pointer}/uid/${index}`,
    seqNum: countValue(seqNums[index], `${pointer}/seq_num/${index}`),
    timeUs: timeValue(times[index], `${pointer}/time/${index}`),
    content: {
      seq_num: seqNums[index],
      time: times[index],
      data: rowOf(data, index),
      timestamps: rowOf(timestamps, index),
    },
  }));
}

type Columns = readonly (readonly [string, readonly unknown[]])[];

function columns(value: unknown, pointer: string, length: number): Columns {
  return Object.entries(objectValue(value, pointer)).map(([key, column]) => {
    const segment = key.replaceAll("~", "~0").replaceAll("/", "~1");
    return [key, arrayValue(column, `${pointer}/${segment}`, length)];
  });
}

function rowOf(from: Columns, index: number): JsonObject {
  return Object.fromEntries(from.map(([key, column]) => [key, column[index]]));
}

/**
 * Counts the rows of one stream in the order of the file.
 *
 * The digest is the SHA-256 over the canonical JSON (sorted members, no white space, UTF-8) of each row's object
 * `{data, seq_num, time, timestamps}`, one directly after another. A page and its single events give the same digest.
 */
export class RowCount {
  readonly #rows = createHash("sha256");
  readonly #uids = createHash("sha256");
  #count = 0;
  #firstSeqNum = Infinity;
  #lastSeqNum = -Infinity;
  #firstUs = Infinity;
  #lastUs = -Infinity;

  get count(): number {
    return this.#count;
  }

  add(row: Row): void {
    this.#count += 1;
    this.#rows.update(canonicalJson(row.content));
    this.#uids.update(JSON.stringify(row.uid));
    this.#firstSeqNum = Math.min(this.#firstSeqNum, row.seqNum);
    this.#lastSeqNum = Math.max(this.#lastSeqNum, row.seqNum);
    this.#firstUs = Math.min(this.#firstUs, row.timeUs);
    this.#lastUs = Math.max(this.#lastUs, row.timeUs);
  }

  /** The latest time of a row, RFC 3339; undefined without rows. */
  lastTime(): string | undefined {
    return this.#count === 0 ? undefined : formatTimestamp(this.#lastUs);
  }

  /** Digest of the uids in order: equal for equal rows, whatever they hold. 64 hexadecimal digits. */
  uidsDigest(): string {
    return this.#uids.copy().digest("hex");
  }

  /**
   * The summary stored with the stream. `first` and `last` are the lowest and the highest, since a run may step back
   * in both time and sequence; they are left out when there are no rows.
   */
  summary(): JsonValue {
    const sha256 = this.#rows.copy().digest("hex");
    if (this.#count === 0) return { count: 0, sha256 };
    return {
      count: this.#count,
      seq_num: { first: this.#firstSeqNum, last: this.#lastSeqNum },
      time: { first: formatTimestamp(this.#firstUs), last: formatTimestamp(this.#lastUs) },
      sha256,
    };
  }
}
