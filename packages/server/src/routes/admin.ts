/** What concerns the store as a whole: erasing content, exporting and verifying the log, and looking after projections. */
import {
  exportForms,
  parseRef,
  toStoreError,
  type EraseOptions,
  type ExportFormName,
  type StoreErasure,
  type VerifyProgress,
  type VerifyReport,
} from "@sennit/core";
import { describeProjection, type ProjectionStatus, type Views } from "@sennit/projections";
import { Type } from "typebox";

import { linesType } from "../body/body-types.ts";
import { actorOf } from "../caller.ts";
import { defineRoute, type Exchange, type Route, type ValueAnswer } from "../route.ts";
import { erasureRequest, storeErasure, verifyReport } from "../schemas/admin.ts";
import { projection } from "../schemas/store.ts";
import { withProgress } from "./with-progress.ts";

/** The parameter of what takes longer than callers wait for the beginning of an answer. */
const progressQuery = Type.Object({
  progress: Type.Optional(
    Type.Boolean({ default: false, description: "Say in lines how far it is." }),
  ),
});
/** Between two words on how far it is: they are said, so that nobody takes the connection for a dead one. */
const lookMs = 1000;
const progressTypes = ["application/json", linesType];
const inLines =
  "With `progress=true` it answers in lines of JSON: `{progress}` now and then, and `{report}`, or `{error}`, at the end.";

const postErasure = defineRoute({
  method: "POST",
  url: "/v1/erase",
  operationId: "eraseContent",
  scope: "admin",
  summary: "Destroy the content of records or versions for good, and record that it was done",
  description:
    "Once this answers, no file of the log or of the views holds what was erased. Structure stays: ids, kinds, sources, times and proofs. " +
    `A caller that goes does not stop it. ${inLines}`,
  tag: "Administration",
  shape: { query: progressQuery, body: erasureRequest },
  answers: {
    200: {
      description: "What was erased, or would be",
      schema: storeErasure,
      contentTypes: progressTypes,
    },
  },
  problems: [404, 413, 415],
  async handle(exchange) {
    const { store, views, query, body, caller } = exchange;
    const { cause, dryRun = false } = body;
    patient(exchange);
    const actor = actorOf(caller, body.actor);
    const refs: string[] = [];
    for (const ref of body.refs) refs.push(await resolved(views, ref));
    if (query.progress !== true) {
      const value = await erased(exchange, refs, { cause, actor, dryRun });
      return { value, position: store.head };
    }
    // What cannot be erased is said with a status.
    await store.erase(refs, { cause, actor, dryRun: true });
    const steps = withProgress<ErasureProgress, StoreErasure>((onProgress) =>
      erased(exchange, refs, { cause, actor, dryRun }, onProgress),
    );
    return { stream: reportLines(steps), contentType: linesType, position: store.head };
  },
});

/** What an erasure is at work on: `log`, then `read-models`. */
interface ErasureProgress {
  readonly in: "log" | "read-models";
}

async function erased(
  { store, views }: Pick<Exchange, "store" | "views">,
  refs: readonly string[],
  options: EraseOptions,
  onProgress: (progress: ErasureProgress) => void = () => undefined,
): Promise<StoreErasure> {
  let progress: ErasureProgress = { in: "log" };
  onProgress(progress);
  const telling = setInterval(() => onProgress(progress), lookMs);
  try {
    const value = await store.erase(refs, options);
    progress = { in: "read-models" };
    // Also when nothing was left to erase: what erased it may have been interrupted.
    if (options.dryRun !== true) await views.caughtUp();
    return value;
  } finally {
    clearInterval(telling);
  }
}

/** The ref with `KIND/NAME` replaced by an id. */
async function resolved(views: Views, ref: string): Promise<string> {
  return parseRef(ref).target.includes("/") ? (await views.at()).resolve(ref) : ref;
}

/** Media types of the forms of an export. */
const exportTypes: Readonly<Record<ExportFormName, string>> = {
  ndjson: linesType,
  msgpack: "application/vnd.msgpack",
};

const getExport = defineRoute({
  method: "GET",
  url: "/v1/export",
  operationId: "exportLog",
  scope: "admin",
  summary: "The whole log as a file that a store can be made from",
  description: "Its last item says how many events it holds and what their Merkle root is.",
  tag: "Administration",
  shape: {
    query: Type.Object({
      format: Type.Optional(Type.Enum([...exportForms], { default: "ndjson" })),
      unsigned: Type.Optional(
        Type.Boolean({ default: false, description: "Leave the signed checkpoint out." }),
      ),
    }),
  },
  answers: {
    200: {
      description: "The export",
      schema: Type.String(),
      contentTypes: Object.values(exportTypes),
    },
  },
  problems: [],
  async handle({ store, query, signal }) {
    const { format = "ndjson", unsigned = false } = query;
    return {
      stream: store.export({ format, checkpoint: !unsigned, signal }),
      contentType: exportTypes[format],
      position: store.head,
    };
  },
});

const postVerification = defineRoute({
  method: "POST",
  url: "/v1/verify",
  operationId: "verifyLog",
  scope: "admin",
  summary: "Read the whole log and check every stored byte of it",
  description: inLines,
  tag: "Administration",
  shape: { query: progressQuery },
  answers: {
    200: {
      description: "What was found; a damaged log is no failure of the request",
      schema: verifyReport,
      contentTypes: progressTypes,
    },
  },
  problems: [],
  async handle(exchange) {
    const { store, query, signal } = exchange;
    patient(exchange);
    const position = store.head;
    if (query.progress !== true) return { value: await store.verify({ signal }), position };
    const steps = withProgress<VerifyProgress, VerifyReport>((onProgress) =>
      store.verify({ signal, onProgress }),
    );
    return { stream: reportLines(steps), contentType: linesType, position };
  },
});

type Step = { readonly progress: object } | { readonly result: object };

async function* reportLines(steps: AsyncIterable<Step>): AsyncGenerator<string> {
  try {
    for await (const step of steps) {
      yield `${JSON.stringify("result" in step ? { report: step.result } : step)}\n`;
    }
  } catch (error) {
    yield `${JSON.stringify({ error: toStoreError(error).toJSON() })}\n`;
  }
}

const projectionParams = Type.Object({ name: Type.String({ minLength: 1 }) });

const postRebuild = defineRoute({
  method: "POST",
  url: "/v1/projections/:name/rebuild",
  operationId: "rebuildProjection",
  scope: "admin",
  summary: "Make the rows of a projection anew",
  description: `It answers once the new rows do; the old ones answer until then. A caller that goes does not stop it. ${inLines}`,
  tag: "Projections",
  shape: { params: projectionParams, query: progressQuery },
  answers: {
    200: { description: "How far it is", schema: projection, contentTypes: progressTypes },
  },
  problems: [],
  async handle(exchange) {
    const { views, store, params, query } = exchange;
    const { name } = params;
    patient(exchange);
    if (query.progress !== true) {
      await views.rebuild(name);
      return progressOf(exchange, name);
    }
    // One that is not there is said with a status.
    views.progress(name);
    const steps = withProgress<ProjectionStatus, ProjectionStatus>((onProgress) =>
      rebuilt(views, name, onProgress),
    );
    return { stream: reportLines(steps), contentType: linesType, position: store.head };
  },
});

async function rebuilt(
  views: Views,
  name: string,
  onProgress: (status: ProjectionStatus) => void,
): Promise<ProjectionStatus> {
  const status = (): ProjectionStatus => describeProjection(views.progress(name));
  const done = views.rebuild(name);
  onProgress(status());
  const looking = setInterval(() => onProgress(status()), lookMs);
  try {
    await done;
  } finally {
    clearInterval(looking);
  }
  return status();
}

const postPause = defineRoute({
  method: "POST",
  url: "/v1/projections/:name/pause",
  operationId: "pauseProjection",
  scope: "admin",
  summary: "Stop a projection until it is resumed, or the server starts again",
  tag: "Projections",
  shape: { params: projectionParams },
  answers: { 200: { description: "How far it is", schema: projection } },
  problems: [],
  async handle(exchange) {
    const { views, params } = exchange;
    views.pause(params.name);
    return progressOf(exchange, params.name);
  },
});

const postResume = defineRoute({
  method: "POST",
  url: "/v1/projections/:name/resume",
  operationId: "resumeProjection",
  scope: "admin",
  summary: "Let a projection go on that was paused, and one that has failed try again",
  tag: "Projections",
  shape: { params: projectionParams },
  answers: { 200: { description: "How far it is", schema: projection } },
  problems: [],
  async handle(exchange) {
    const { views, params } = exchange;
    views.resume(params.name);
    return progressOf(exchange, params.name);
  },
});

function progressOf(
  { views, store }: Pick<Exchange, "views" | "store">,
  name: string,
): ValueAnswer {
  return { value: describeProjection(views.progress(name)), position: store.head };
}

/** What takes long moves nothing on its connection meanwhile, and is not to be cut off for that. */
function patient({ request }: Pick<Exchange, "request">): void {
  request.raw.socket.setTimeout(0);
}

export const adminRoutes: readonly Route[] = [
  getExport,
  postVerification,
  postErasure,
  postRebuild,
  postPause,
  postResume,
];
