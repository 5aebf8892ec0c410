/** Long answers in pages: the changes between two instants, and the history of a record. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { documentMembers } from "../event/document.ts";
import { canonicalJson } from "../event/json.ts";
import type { Position } from "../ids.ts";
import { openMemoryStore } from "../open-store.ts";
import type { Store } from "../store.ts";
import { histories } from "../testing/arbitraries.ts";
import { memoryStoreOf } from "../testing/fill-store.ts";
import type { Oracle } from "../testing/oracle.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { make, revise } from "../testing/samples.ts";
import { propertySettings } from "../testing/settings.ts";
import type { ChangesOptions, Reader, RecordView, StoreChange } from "./reader.ts";

async function collect(
  reader: Reader,
  from: Position,
  options?: ChangesOptions,
): Promise<StoreChange[]> {
  const changes: StoreChange[] = [];
  for await (const change of reader.changes(from, options)) changes.push(change);
  return changes;
}

/** All pages of the changes, each begun after the last record of the one before. */
async function inPages(reader: Reader, from: Position, limit: number): Promise<StoreChange[]> {
  const all: StoreChange[] = [];
  for (;;) {
    const page = await collect(reader, from, { limit, after: all.at(-1)?.position });
    all.push(...page);
    if (page.length < limit) return all;
  }
}

function documentText(view: RecordView): string {
  return canonicalJson(documentMembers.map((member) => view[member]));
}

/** What differs between two positions, by comparing what the model says of every record at both. */
function predicted(oracle: Oracle, from: Position, to: Position): Partial<StoreChange>[] {
  const [before, after] = [oracle.at(from), oracle.at(to)];
  const events = oracle.events.slice(from, to);
  return [...new Set(events.map(({ recordId }) => recordId))].map((recordId) => {
    const now = after.record({ recordId, version: after.currentVersion(recordId) });
    const fromVersion = before.currentVersion(recordId);
    const position = events.find((event) => event.recordId === recordId)?.position ?? 0;
    const { kind, name, version: toVersion } = now;
    const row = { recordId, kind, name, position, toVersion };
    if (fromVersion === 0) {
      const isWithdrawn = now.status === "invalid";
      const changes = ["created" as const, ...(isWithdrawn ? ["withdrawn" as const] : [])];
      return { ...row, fromVersion: null, changes };
    }
    const then = before.record({ recordId, version: fromVersion });
    const changes: StoreChange["changes"][number][] = [];
    if (documentText(then) !== documentText(now)) changes.push("updated");
    if (then.status === "valid" && now.status === "invalid") changes.push("withdrawn");
    if (then.status === "invalid" && now.status === "valid") changes.push("restored");
    return { ...row, fromVersion, changes: changes.length === 0 ? ["touched"] : changes };
  });
}

async function expectPages(store: Store, oracle: Oracle): Promise<void> {
  for (let to = 0; to <= oracle.head; to += 1) {
    const reader = await store.at({ position: to });
    for (let from = 0; from <= to; from += 2) {
      const all = await collect(reader, from);
      expect(all.map(({ fields: _fields, ...rest }) => rest)).toEqual(predicted(oracle, from, to));
      expect(await inPages(reader, from, 2)).toEqual(all);
      expect((await reader.changesSince(from)).records).toEqual(all);
    }
    for (const recordId of oracle.at(to).recordIds()) {
      const whole = await reader.history(recordId);
      expect(whole).not.toHaveProperty("nextAfter");
      const first = await reader.history(recordId, { limit: 1 });
      const rest = await reader.history(recordId, { after: first.versions.length });
      expect([...first.versions, ...rest.versions]).toEqual(whole.versions);
      expect([...first.events, ...rest.events]).toEqual(whole.events);
      expect(first.nextAfter).toBe(whole.versions.length > 1 ? 1 : undefined);
    }
  }
}

test("changes and histories in pages are those of any history at once, and what the oracle says", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(6), async (steps) => {
      const { store, oracle } = await memoryStoreOf(steps);
      await expectPages(store, oracle);
    }),
    propertySettings(20),
  );
});

test("a history of many versions is told in pages of any size", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), ...Array.from({ length: 299 }, (_, index) => revise("a", index))]);
  const whole = (await store.history("a")).versions.map(({ version }) => version);
  expect(whole).toHaveLength(300);
  for (const limit of [1, 63, 64, 65, 299, 300]) {
    const versions: number[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await store.history("a", { after, limit });
      versions.push(...page.versions.map(({ version }) => version));
      after = page.nextAfter;
    }
    expect(versions).toEqual(whole);
  }
  expect((await store.history("a", { after: 300 })).versions).toEqual([]);
});

test("limits and beginnings that cannot be are refused, and both reads can be stopped", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b")]);
  const signal = AbortSignal.abort();
  for (const options of [{ limit: 0 }, { limit: 1.5 }, { after: -1 }]) {
    expect(await codeOf(() => store.history("a", options))).toBe("argument-invalid");
    expect(await codeOf(() => collect(store, 0, options))).toBe("argument-invalid");
  }
  expect(await codeOf(() => collect(store, 1, { after: 0 }))).toBe("argument-invalid");
  expect(await codeOf(() => collect(store, 0, { after: 3 }))).toBe("argument-invalid");
  expect(await codeOf(() => store.history("a", { signal }))).toBe("aborted");
  expect(await codeOf(() => collect(store, 0, { signal }))).toBe("aborted");
});
