/** Examples of answers, by the name of the route. */

const root = { recordId: "m-1", version: 1 };
const recordedAt = "2026-03-02T10:00:00.123456Z";

const record = {
  id: "m-1",
  kind: "model",
  name: "braggnn",
  version: 1,
  status: "valid",
  stale: false,
  tags: { loss: 0.12 },
  uris: [],
  attributes: {},
  artifacts: [],
  onInvalidate: [],
  derivedFrom: [
    { recordId: "ds-1", version: 2, role: "training-data", relation: "wasDerivedFrom" },
  ],
  createdAt: recordedAt,
  recordedAt,
  occurredAt: null,
  actor: "beamline-7",
  position: 812,
  invalidation: null,
};

const event = {
  position: 1,
  id: "01980a3c-8c4b-7000-8000-0000048d1594",
  type: "record.created",
  recordId: "cfg-1",
  version: 1,
  recordedAt,
  hash: "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
  data: { kind: "config", name: "run 7" },
};

export const examples: Readonly<Record<string, unknown>> = {
  getStore: { storeId: "0f8fad5b-d9cb-469f-a165-70867728950e", head: 812, damage: null },
  getInstant: { asOf: 812 },
  getRecord: record,
  listRecords: { asOf: 812, records: [record], nextCursor: "WzgxMiw4MTIsIm0zVnFRIl0" },
  listEvents: { asOf: 812, events: [event], nextFrom: 2 },
  getLineage: {
    of: root,
    direction: "ancestors",
    asOf: 812,
    nodes: [
      { recordId: "ds-1", version: 2, kind: "dataset", name: "scan 1", status: "valid", depth: 1 },
    ],
    edges: [
      {
        derived: root,
        source: { recordId: "ds-1", version: 2 },
        role: "training-data",
        relation: "wasDerivedFrom",
      },
    ],
  },
  getImpact: {
    of: { recordId: "ds-1", version: null },
    asOf: 812,
    withdrawn: [
      {
        recordId: "ds-1",
        versions: { from: 1, to: 2 },
        kind: "dataset",
        name: "scan 1",
        via: null,
      },
      {
        recordId: "m-1",
        versions: { from: 1, to: 1 },
        kind: "model",
        name: "braggnn",
        via: { recordId: "ds-1", version: 2 },
      },
    ],
    actions: [],
  },
  getStale: { asOf: 812, records: [], outdated: [] },
  listLabels: { asOf: 812, labels: [{ name: "submitted-paper", position: 640 }] },
};
