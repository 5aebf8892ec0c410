/** The demo's story: nine days at a beamline, as command lines with the time each is given at. */
import { created, updated, type NewEvent } from "@sennit/core";

/** One command of the story. */
export interface Step {
  /** When it happens, RFC 3339. */
  readonly at: string;
  readonly actor?: string;
  readonly words: readonly string[];
  /** What the command reads from standard input. */
  readonly input?: readonly NewEvent[];
}

/** A part of the story: what is told, then what is done. */
export interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly steps: readonly Step[];
}

const scans = ["scan-1", "scan-2", "scan-3", "scan-4", "scan-5", "scan-6"];
const measured = ["scan-1", "scan-2", "scan-3", "scan-4"];

const setUp: Chapter = {
  title: "Configure and simulate",
  text: "A beamline is set up, its detector is calibrated, and three simulations give a model something to start from.",
  steps: [
    {
      at: "2026-03-01T08:00:00Z",
      actor: "maria",
      words: [
        "create",
        "config",
        "bragg run 7",
        "--id",
        "cfg-1",
        "--attr",
        '{"energy_kev":71.7,"exposure_s":0.2}',
      ],
    },
    {
      at: "2026-03-01T08:20:00Z",
      actor: "maria",
      words: [
        "create",
        "calibration",
        "detector distance",
        "--id",
        "cal-1",
        "--from",
        "cfg-1",
        "--attr",
        '{"distance_mm":812.4}',
      ],
    },
    {
      at: "2026-03-01T09:00:00Z",
      actor: "hpc",
      words: ["ingest", "-"],
      input: [1, 2, 3].map((number) =>
        created(`sim-${number}`, {
          kind: "simulation",
          name: `peaks, strain ${number}`,
          attributes: { seed: number, strain: number / 1000 },
          derivedFrom: [{ recordId: "cfg-1", role: "configuration" }],
        }),
      ),
    },
    {
      at: "2026-03-01T09:05:00Z",
      actor: "hpc",
      words: [
        "create",
        "dataset",
        "simulated peaks",
        "--id",
        "ds-sim",
        "--from",
        "sim-1",
        "--from",
        "sim-2",
        "--from",
        "sim-3",
      ],
    },
  ],
};

const train: Chapter = {
  title: "Measure and train",
  text: "Six scans come in through the calibration. A model is trained on them and on the simulations, tuned, and put to work.",
  steps: [
    {
      at: "2026-03-01T13:00:00Z",
      actor: "beamline-7",
      words: ["ingest", "-"],
      input: scans.map((id, index) =>
        created(id, {
          kind: "scan",
          name: `sector ${index + 1}`,
          tags: { sector: index + 1 },
          uris: [`file:///data/run7/${id}.h5`],
          derivedFrom: [{ recordId: "cal-1", role: "calibration" }],
        }),
      ),
    },
    {
      at: "2026-03-01T13:30:00Z",
      actor: "beamline-7",
      words: [
        "create",
        "dataset",
        "measured peaks",
        "--id",
        "ds-1",
        ...scans.flatMap((id) => ["--from", id]),
      ],
    },
    {
      at: "2026-03-01T16:00:00Z",
      actor: "trainer",
      words: [
        "create",
        "model",
        "braggnn",
        "--id",
        "braggnn",
        "--from",
        "ds-1:training-data",
        "--from",
        "ds-sim:pre-training",
        "--tag",
        "loss=0.31",
      ],
    },
    {
      at: "2026-03-01T18:00:00Z",
      actor: "trainer",
      words: [
        "update",
        "braggnn",
        "--set",
        "attributes.epochs=120",
        "--tag",
        "loss=0.12",
        "--reason",
        "tuned over night",
      ],
    },
    {
      at: "2026-03-02T07:30:00Z",
      actor: "maria",
      words: ["update", "model/braggnn", "--tag", "stage=prod"],
    },
  ],
};

const decide: Chapter = {
  title: "Infer and decide",
  text: "The model reads four sectors. On that, the next measurement is decided, and the moment gets a name.",
  steps: [
    {
      at: "2026-03-02T09:00:00Z",
      actor: "beamline-7",
      words: ["ingest", "-"],
      input: measured.map((id, index) => inference(`inf-${index + 1}`, id, 40 + index * 7)),
    },
    {
      at: "2026-03-02T09:40:00Z",
      actor: "flow-12",
      words: [
        "create",
        "decision",
        "measure sector 4 again",
        "--id",
        "decision-1",
        ...measured.flatMap((_, index) => ["--from", `inf-${index + 1}:evidence`]),
        "--from",
        "braggnn:policy",
      ],
    },
    { at: "2026-03-02T09:45:00Z", actor: "maria", words: ["label", "first-decision"] },
    { at: "2026-03-02T09:46:00Z", words: ["lineage", "decision-1", "--depth", "2"] },
  ],
};

const movesOn: Chapter = {
  title: "An input moves on",
  text: "One simulation is run again. Nothing is wrong, but what was made from it no longer rests on the newest version.",
  steps: [
    {
      at: "2026-03-04T09:00:00Z",
      actor: "hpc",
      words: ["update", "sim-3", "--set", "attributes.seed=13", "--reason", "better random seed"],
    },
    { at: "2026-03-04T09:01:00Z", words: ["stale"] },
  ],
};

const recall: Chapter = {
  title: "The calibration was wrong",
  text: "A week later the detector turns out to have stood 2 mm nearer. What falls? First a look, then the invalidation: everything that rests on it is withdrawn in the same batch.",
  steps: [
    { at: "2026-03-09T10:00:00Z", words: ["impact", "cal-1"] },
    {
      at: "2026-03-09T10:05:00Z",
      actor: "maria",
      words: ["invalidate", "cal-1", "--cause", "detector stood 2 mm nearer than noted"],
    },
    { at: "2026-03-09T10:06:00Z", words: ["show", "decision-1"] },
    {
      at: "2026-03-09T10:07:00Z",
      words: ["show", "decision-1", "--as-of", "2026-03-02T10:00:00Z"],
    },
  ],
};

const again: Chapter = {
  title: "Correct, retrain, decide again",
  text: "The calibration gets a corrected version, the scans are reduced again with it, the model is retrained, and the decision is taken anew.",
  steps: [
    {
      at: "2026-03-09T11:00:00Z",
      actor: "maria",
      words: [
        "update",
        "cal-1",
        "--set",
        "attributes.distance_mm=810.4",
        "--reason",
        "measured again",
      ],
    },
    {
      at: "2026-03-09T12:00:00Z",
      actor: "beamline-7",
      words: ["ingest", "-"],
      input: scans.map((id) =>
        updated(id, { derivedFrom: [{ recordId: "cal-1", role: "calibration" }] }),
      ),
    },
    {
      at: "2026-03-09T12:30:00Z",
      actor: "beamline-7",
      words: ["update", "ds-1", ...scans.flatMap((id) => ["--from", id])],
    },
    {
      at: "2026-03-09T14:00:00Z",
      actor: "hpc",
      words: ["update", "ds-sim", "--from", "sim-1", "--from", "sim-2", "--from", "sim-3"],
    },
    {
      at: "2026-03-09T15:00:00Z",
      actor: "trainer",
      words: [
        "update",
        "model/braggnn",
        "--from",
        "ds-1:training-data",
        "--from",
        "ds-sim:pre-training",
        "--set",
        "attributes.epochs=150",
        "--tag",
        "loss=0.09",
        "--reason",
        "retrained on corrected scans",
      ],
    },
    {
      at: "2026-03-10T08:00:00Z",
      actor: "beamline-7",
      words: ["ingest", "-"],
      input: measured.map((id, index) => inference(`inf-${index + 5}`, id, 41 + index * 2)),
    },
    {
      at: "2026-03-10T08:30:00Z",
      actor: "flow-12",
      words: [
        "create",
        "decision",
        "go on to sector 5",
        "--id",
        "decision-2",
        ...measured.flatMap((_, index) => ["--from", `inf-${index + 5}:evidence`]),
        "--from",
        "braggnn:policy",
      ],
    },
    { at: "2026-03-10T08:35:00Z", actor: "maria", words: ["label", "second-decision"] },
    { at: "2026-03-10T08:36:00Z", words: ["replay", "decision-2", "--check"] },
    { at: "2026-03-10T08:37:00Z", words: ["list", "--kind", "decision"] },
    { at: "2026-03-10T08:38:00Z", words: ["verify"] },
  ],
};

/** The story in order. */
export const story: readonly Chapter[] = [setUp, train, decide, movesOn, recall, again];

/** Commands to try afterwards; each works in the store the story leaves behind. */
export const tryNext: readonly (readonly string[])[] = [
  ["show", "decision-1"],
  ["show", "decision-1", "--as-of", "first-decision"],
  ["history", "model/braggnn"],
  ["lineage", "decision-2"],
  ["diff", "braggnn@2", "braggnn@5"],
  ["diff", "--from", "first-decision", "--to", "second-decision"],
  ["replay", "decision-2", "--check"],
];

function inference(id: string, scan: string, peaks: number): NewEvent {
  return created(id, {
    kind: "inference",
    name: `peaks of ${scan}`,
    attributes: { peaks },
    derivedFrom: [
      { recordId: "braggnn", role: "model" },
      { recordId: scan, role: "input" },
    ],
  });
}
