/** The shapes of what is sent say what the store says: an event is accepted by both, or by neither. */
import { isStoreError, validateEvent, type NewEvent } from "@sennit/core";
import { EventPlanner, histories, Oracle, propertySettings } from "@sennit/core/testing";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { newEvent } from "../../packages/server/src/schemas/new-event.ts";

const fits = new Ajv2020({ strict: false }).compile(newEvent);

/** What a schema cannot say, or says in characters where the store counts bytes. */
const unsaid =
  /a second time|must not be below from|levels deep|bytes of UTF-8|surrogate|RFC 3339|__proto__/;

/** Why the store refuses an event; undefined when it takes it. */
function refusal(event: unknown): string | undefined {
  try {
    validateEvent(event);
    return undefined;
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return (
      (error.details["issues"] as { message: string }[])
        .map(({ message }) => message)
        .find((message) => !unsaid.test(message)) ?? "unsaid"
    );
  }
}

/** Undefined when both say the same, or the store refuses for what the schema cannot say. */
function difference(event: unknown): string | undefined {
  const why = refusal(event);
  if (why === "unsaid" || fits(event) === (why === undefined)) return undefined;
  return `the store: ${why ?? "takes it"}; the schema: ${JSON.stringify(fits.errors?.slice(0, 3))}`;
}

const eventId = "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77";

/** Events with every member there may be. */
const full: readonly NewEvent[] = [
  {
    type: "record.created",
    id: eventId,
    recordId: "ds-1",
    occurredAt: "2026-03-02T09:58:00.5+01:00",
    actor: "beamline-7",
    causationId: eventId,
    correlationId: eventId,
    expectedVersion: 0,
    allowInvalidSources: true,
    unknownSources: "placeholder",
    data: {
      kind: "dataset",
      name: "ä",
      tags: { a: "text\nof lines", b: 1.5, c: true },
      uris: ["file:///x"],
      attributes: { deep: [1, { x: null }] },
      artifacts: [
        { name: "x", uri: "file:///x", mediaType: "a/b", sizeBytes: 7, sha256: "0".repeat(64) },
      ],
      derivedFrom: [{ recordId: "a", version: 1, role: null, relation: "used" }],
      onInvalidate: ["act-1"],
    },
  },
  {
    type: "record.updated",
    recordId: "ds-1",
    expectedVersion: "exists",
    data: {
      patch: { tags: { a: null }, uris: null, derivedFrom: null, artifacts: [{ name: "x" }] },
      reason: "two\nlines",
    },
  },
  {
    type: "record.updated",
    recordId: "ds-1",
    data: { document: { kind: "dataset", name: "n" }, restores: 1 },
  },
  {
    type: "record.invalidated",
    recordId: "ds-1",
    cascade: false,
    data: { cause: "wrong", versions: { from: 1, to: 2 } },
  },
];

/** Events as they are sent in histories, and those above. */
const events: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...full),
  histories(4).chain((steps) => {
    const oracle = new Oracle();
    const planner = new EventPlanner();
    const sent = steps.flatMap((step) => {
      if (step.type !== "batch") return [];
      const batch = planner.plan(step.drafts, oracle);
      oracle.append(batch);
      return batch;
    });
    return fc.constantFrom(...(sent.length === 0 ? full : sent));
  }),
);

const odd: readonly unknown[] = [
  null,
  true,
  0,
  1,
  -1,
  1.5,
  2 ** 33,
  "",
  "x",
  "a\nb",
  "a\u0007b",
  "a@7",
  "erasure",
  "none",
  "record.created",
  "2026-03-02T09:58:00Z",
  eventId,
  eventId.toUpperCase(),
  "y".repeat(600),
  [],
  [1],
  ["x"],
  {},
  { x: 1 },
  { recordId: "a" },
];

interface Breaking {
  readonly steps: readonly number[];
  readonly deed: "set" | "drop" | "add";
  readonly value: unknown;
}

const breaking: fc.Arbitrary<Breaking> = fc.record({
  steps: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 5 }),
  deed: fc.constantFrom("set", "drop", "add"),
  value: fc.constantFrom(...odd),
});

/** A copy of an event that is broken in one place, found by going down the steps. */
function broken(event: unknown, { steps, deed, value }: Breaking): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(event));
  let place = copy as Record<string, unknown>;
  for (const [index, step] of steps.entries()) {
    const names = Object.keys(place);
    const name = names[step % Math.max(1, names.length)] ?? "x";
    const inner = place[name];
    if (index < steps.length - 1 && typeof inner === "object" && inner !== null) {
      place = inner as Record<string, unknown>;
      continue;
    }
    if (Array.isArray(place)) place[Number(name) || 0] = structuredClone(value);
    else if (deed === "add") place["extra"] = value;
    else if (deed === "drop") delete place[name];
    else place[name] = structuredClone(value);
    break;
  }
  return copy;
}

test("events as they are sent fit the shape", () => {
  fc.assert(
    fc.property(events, (event) => {
      expect(difference(JSON.parse(JSON.stringify(event)))).toBeUndefined();
    }),
    propertySettings(300),
  );
});

test("an event that is broken in one place is refused by both, or by neither", () => {
  let refused = 0;
  fc.assert(
    fc.property(events, breaking, (event, deed) => {
      const one = broken(event, deed);
      if (refusal(one) !== undefined) refused += 1;
      expect(difference(one)).toBeUndefined();
    }),
    propertySettings(3000),
  );
  expect(refused).toBeGreaterThan(300);
});
