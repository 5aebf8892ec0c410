/** A store with a story in it, served at a real socket: every member that an answer may have is in one of its answers. */
import {
  created,
  invalidated,
  newEventId,
  openMemoryStore,
  replaced,
  updated,
  type EmbeddedStore,
} from "@sennit/core";
import { FakeClock } from "@sennit/core/testing";
import { openViews, type Views } from "@sennit/projections";
import { buildServer, type SomeSettings } from "@sennit/server";

export interface Served {
  readonly url: string;
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly clock: FakeClock;
  close(): Promise<void>;
}

/** Serves an empty store in memory. */
export async function serve(settings: SomeSettings = {}): Promise<Served> {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  const views = await openViews(store);
  const app = await buildServer({ store, views, settings });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const close = async (): Promise<void> => {
    await app.close();
    await views.close();
    await store.close();
  };
  return { url, store, views, clock, close };
}

const digest = "ab".repeat(32);

/** Two trainings on one data set, a decision, a calibration found wrong, an erasure, labels. Ends at position 17. */
export async function playStory({ store, clock }: Served): Promise<void> {
  const actor = "beamline-7";
  const cause = newEventId(1);
  await store.append([
    created("ds-1", { kind: "dataset", name: "scan 1", uris: ["file:///scan-1"] }, { actor }),
    created("cal-1", { kind: "calibration", name: "detector", tags: { gain: 1.5, on: true } }),
  ]);
  await store.append([
    created("m-1", {
      kind: "model",
      name: "braggnn",
      tags: { loss: 0.12, stage: "prod", note: "=1+1" },
      attributes: { layers: [1, 2], nothing: null },
      artifacts: [
        { name: "w", uri: "s3://w", mediaType: "text/plain", sizeBytes: 3, sha256: digest },
      ],
      derivedFrom: [
        { recordId: "ds-1", role: "training-data" },
        { recordId: "cal-1", relation: "used" },
      ],
      onInvalidate: ["retrain", "m-1"],
    }),
  ]);
  await store.label("first", 3);
  await store.append([
    created(
      "decision/42",
      { kind: "decision", name: "accept", derivedFrom: [{ recordId: "m-1" }] },
      { occurredAt: "2026-03-01T00:00:00Z", causationId: cause, correlationId: cause },
    ),
  ]);
  clock.advance(86_400_000_000);
  await store.append([updated("ds-1", { attributes: { rows: 5 }, tags: { x: 1 } }, { actor })]);
  await store.append([
    {
      type: "record.updated",
      recordId: "ds-1",
      data: { patch: { tags: { x: null } }, reason: "a typo" },
    },
    created("m-2", {
      kind: "model",
      name: "cloud",
      derivedFrom: [{ recordId: "ds-1", version: 3 }],
    }),
    created(
      "late",
      { kind: "run", name: "on what is not there", derivedFrom: [{ recordId: "nowhere" }] },
      { unknownSources: "placeholder" },
    ),
  ]);
  await store.append([invalidated("cal-1", { cause: "wrong energy" })]);
  await store.append([
    replaced("ds-1", { kind: "dataset", name: "scan 1 again" }),
    {
      type: "record.updated",
      recordId: "m-2",
      data: {
        document: {
          kind: "model",
          name: "cloud 2",
          derivedFrom: [{ recordId: "ds-1", version: 3 }],
        },
        restores: 1,
      },
    },
  ]);
  await store.append([created("secret", { kind: "note", name: "a name", tags: { who: "x" } })]);
  await store.erase(["secret"], { cause: "asked for", actor: "dpo" });
  await store.label("submitted-paper");
}
