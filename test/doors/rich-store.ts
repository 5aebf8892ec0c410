/** A store in a directory whose records are called in every way that is allowed, and have gone through all that can happen. */
import { created, invalidated, openStore, replaced, updated, type AsOf } from "@sennit/core";
import type { FakeClock } from "@sennit/core/testing";

const dayUs = 86_400_000_000;

/** Ids that an address, a command line or a file could take for something else. */
export const oddIds = [
  "..",
  ".",
  "-",
  "--json",
  "a/b/../c",
  "100%",
  "%2F%00",
  "q?as-of=1&x#y",
  "with space + plus",
  "me@home",
  "grün/\u{1f9ea}\u0301",
  'quo"te\\',
  "__proto__",
  "constructor",
  "812",
  "2026-03-02",
  "stream",
  "é".repeat(256),
] as const;

/** Instants of the store, each in the form that a program gives and as text. The last is the present. */
export interface NamedInstant {
  readonly text: string | undefined;
  readonly asOf: AsOf | undefined;
}

export const instants: readonly NamedInstant[] = [
  { text: "0", asOf: { position: 0 } },
  { text: "7", asOf: { position: 7 } },
  { text: "2026-03-03T12:00:00+01:00", asOf: { time: "2026-03-03T12:00:00+01:00" } },
  { text: "grün/50%", asOf: { label: "grün/50%" } },
  { text: "..", asOf: { label: ".." } },
  { text: undefined, asOf: undefined },
];

/** Makes the store. @param clock of the store; two days pass on it */
export async function makeRichStore(directory: string, clock: FakeClock): Promise<void> {
  await using store = await openStore(directory, { clock });
  const actor = "beamline-7";
  await store.append([
    created("ds", { kind: "dataset", name: "scan 1", uris: ["file:///s"], tags: { rows: 5 } }),
    created(
      "cal",
      { kind: "calibration", name: "detector", tags: { on: true, gain: 1.5 } },
      { actor },
    ),
  ]);
  await store.append([
    created("m", {
      kind: "model",
      name: "bragg nn",
      tags: { loss: 0.1, "0": "zero", __proto__x: "p", text: "0.10", "two words": "a b" },
      attributes: { layers: [1, 2, { deep: null }], "a/b~c": "\u2028 \u{1f9ea}" },
      artifacts: [
        {
          name: "w",
          uri: "s3://w",
          mediaType: "text/plain",
          sizeBytes: 3,
          sha256: "ab".repeat(32),
        },
      ],
      derivedFrom: [
        { recordId: "ds", role: "training-data" },
        { recordId: "cal", relation: "used" },
      ],
      onInvalidate: ["retrain"],
    }),
  ]);
  await store.append(
    oddIds.map((id, index) =>
      created(id, {
        kind: index % 2 === 0 ? "odd" : "odd/kind",
        name: `called ${index}`,
        derivedFrom: [
          { recordId: index === 0 ? "m" : (oddIds[index - 1] ?? "m") },
          { recordId: "ds" },
        ],
      }),
    ),
  );
  await store.label("grün/50%");
  clock.advance(dayUs);
  await store.append([
    updated(
      "ds",
      { tags: { rows: 6 }, attributes: { by: "hand" } },
      { actor, occurredAt: "2026-03-01T00:00:00Z" },
    ),
    {
      type: "record.updated",
      recordId: "..",
      data: { patch: { uris: ["x:y"] }, reason: "was empty" },
    },
    created(
      "late",
      { kind: "run", name: "late", derivedFrom: [{ recordId: "nowhere" }] },
      { unknownSources: "placeholder" },
    ),
  ]);
  await store.append([invalidated("cal", { cause: "wrong\nenergy" }, { actor })]);
  clock.advance(dayUs);
  await store.append([
    replaced("ds", { kind: "dataset", name: "scan 1", uris: ["file:///s"], tags: { rows: 5 } }),
    {
      type: "record.updated",
      recordId: "..",
      data: {
        document: {
          kind: "odd",
          name: "called 0 again",
          derivedFrom: [
            { recordId: "m", version: 1 },
            { recordId: "ds", version: 1 },
          ],
        },
        restores: 1,
      },
    },
    created("twin-1", { kind: "twin", name: "same" }),
    created("twin-2", { kind: "twin", name: "same" }),
    created("secret", {
      kind: "note",
      name: "a name",
      tags: { who: "x" },
      derivedFrom: [{ recordId: "m" }],
    }),
  ]);
  await store.erase(["secret"], { cause: "asked for", actor: "dpo" });
  await store.label("..");
  await store.append([invalidated("late", { cause: "withdrawn after the label" })]);
}
