// The records that a log's events make, folded one by one, as simply as can be.
import { difference, merged } from "./json.mjs";

export class Fold {
  /** By record id: its version now and its content versions. */
  #records = new Map();

  /**
   * Takes the next event of the log.
   *
   * @param sent the event as a caller sent it; undefined for one that the store added
   * @returns what is wrong with it, or undefined
   */
  take(event, sent) {
    const { recordId, version, type, data } = event;
    const record = this.#records.get(recordId) ?? { version: 0, contents: [] };
    if (version !== record.version + 1) return `version ${version} follows ${record.version}`;
    const wrong = sent === undefined ? addedProblem(event) : sentProblem(event, sent, record);
    this.#records.set(recordId, record);
    record.version = version;
    record.position = event.position;
    if (type === "record.invalidated") {
      for (const content of record.contents) {
        if (content.version >= data.versions.from && content.version <= data.versions.to) {
          content.isWithdrawn = true;
        }
      }
      return wrong;
    }
    const before = record.contents.at(-1);
    const document =
      type === "record.created"
        ? { tags: {}, attributes: {}, derivedFrom: [], ...data }
        : merged(before.document, data.patch);
    record.contents.push({ version, document, isWithdrawn: false });
    return wrong;
  }

  /** Valid versions that rest on a withdrawn one: a cascade that was stored in part leaves some. */
  unsound() {
    const found = [];
    for (const [recordId, { contents }] of this.#records) {
      for (const { version, document, isWithdrawn } of contents) {
        const fallen = document.derivedFrom.find((source) => this.#isWithdrawn(source));
        if (!isWithdrawn && fallen !== undefined) {
          found.push(`${recordId}@${version} is valid and rests on withdrawn ${fallen.recordId}`);
        }
      }
    }
    return found;
  }

  /** Says where a store's answer differs from the fold; undefined when it does not. */
  compare({ id, kind, name, version, status, tags, attributes, derivedFrom, position }) {
    const record = this.#records.get(id);
    if (record === undefined) return "there is no such record";
    const { document, isWithdrawn } = record.contents.at(-1);
    return difference(
      { kind, name, tags, attributes, derivedFrom, version, position, status },
      {
        kind: document.kind,
        name: document.name,
        tags: document.tags,
        attributes: document.attributes,
        derivedFrom: document.derivedFrom,
        version: record.version,
        position: record.position,
        status: isWithdrawn ? "invalid" : "valid",
      },
    );
  }

  #isWithdrawn({ recordId, version }) {
    const contents = this.#records.get(recordId)?.contents ?? [];
    return contents.findLast((content) => content.version <= version)?.isWithdrawn ?? false;
  }
}

function addedProblem({ type, data }) {
  const isConsequence = type === "record.invalidated" && data.root !== undefined;
  return isConsequence ? undefined : "nobody sent it";
}

/** A stored event is the event sent, with versions filled in. */
function sentProblem(event, sent, record) {
  const { derivedFrom = [], versions, ...data } = event.data;
  const { derivedFrom: sources = [], ...expected } = sent.data;
  if (event.type === "record.invalidated") {
    const wrong = difference(versions, { from: 1, to: record.version });
    if (wrong !== undefined) return wrong;
  }
  return difference(
    { type: event.type, recordId: event.recordId, data, sources: derivedFrom.map(idOf) },
    { type: sent.type, recordId: sent.recordId, data: expected, sources: sources.map(idOf) },
  );
}

function idOf({ recordId }) {
  return recordId;
}
