/** A durable subscription: what it is for, how far it was delivered and acknowledged, and its file. */
import { createHash } from "node:crypto";

import { eventTypes, isPlainObject, StoreError, type Position } from "@sennit/core";

import type { EventFilter } from "../live/event-filter.ts";

export interface Subscription {
  readonly name: string;
  /** The actor whose credential made it, and who alone reads on; null for one made without a credential, for all. */
  readonly maker: string | null;
  readonly filter: EventFilter;
  /** The first position it was made for. */
  readonly from: Position;
  /** Everything up to here counts as dealt with. */
  readonly acknowledged: Position;
  /** The last position that an answer to its reader has got to. */
  readonly delivered: Position;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

/** A name is a file's name on every system. */
const nameForm = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** @throws `argument-invalid` */
export function assertSubscriptionName(name: string): void {
  if (nameForm.test(name)) return;
  throw new StoreError(
    "argument-invalid",
    "A subscription's name is 1-100 small letters, digits, dots, underlines and minuses, and begins with a letter or digit.",
    { details: { name } },
  );
}

const format = "sennit-subscription";
const version = 1;

/** The content of a file: a line of JSON, and a line with its SHA-256. */
export function formatSubscription(subscription: Subscription): string {
  const json = JSON.stringify({ format, version, ...subscription });
  return `${json}\n${digestOf(json)}\n`;
}

/** @throws `file-damaged` for anything but what was written */
export function parseSubscription(path: string, text: string): Subscription {
  const [json = "", digest] = text.split("\n");
  if (digestOf(json) !== digest) throw damaged(path);
  const value: unknown = JSON.parse(json);
  if (!isPlainObject(value) || value["format"] !== format) throw damaged(path);
  if (value["version"] !== version) {
    throw new StoreError("format-too-new", `${path} is of a newer Sennit.`, { details: { path } });
  }
  const { format: _format, version: _version, ...subscription } = value;
  return subscription as unknown as Subscription;
}

/** Whether two filters are the same: the order in which types and kinds were named does not matter. */
export function isSameFilter(one: EventFilter, other: EventFilter): boolean {
  return canonical(one) === canonical(other);
}

function canonical({ types, kinds, recordId, recordIdPrefix }: EventFilter): string {
  const ordered = eventTypes.filter((type) => types?.includes(type));
  return JSON.stringify([
    types === undefined ? null : ordered,
    kinds === undefined ? null : kinds.toSorted(),
    recordId ?? null,
    recordIdPrefix ?? null,
  ]);
}

function digestOf(json: string): string {
  return createHash("sha256").update(json).digest("hex");
}

function damaged(path: string): StoreError {
  return new StoreError("file-damaged", `The subscription file ${path} is not as it was written.`, {
    hint: "Delete the subscription and make it again; the log is not touched by this.",
    details: { path },
  });
}
