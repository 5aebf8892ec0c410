/** The shapes that have a name in the document. */
import type { TSchema } from "typebox";

import { erasureRequest, storeErasure, verifyReport } from "./admin.ts";
import { versionRef } from "./common.ts";
import { impact, outdatedSources, receipt, replay, staleReport } from "./decision.ts";
import { eventPage, recordedEvent } from "./event.ts";
import { blame, fieldChange, history, recordDiff, storeChange, storeDiff } from "./history.ts";
import {
  commonAncestors,
  edge,
  lineage,
  lineageDiff,
  lineagePaths,
  lineageRefs,
} from "./lineage.ts";
import {
  appendRequest,
  appendResult,
  commandResult,
  createRequest,
  documentPatch,
  lineResult,
  newDocument,
  newEvent,
} from "./new-event.ts";
import { subscription, subscriptionList } from "./subscription.ts";
import { problem } from "./problem.ts";
import { artifact, derivation, explanation, record, recordPage, state } from "./record.ts";
import {
  checkpoint,
  consistencyProof,
  inclusionProof,
  instant,
  label,
  labels,
  projection,
  projections,
  resolvedRef,
  storeInfo,
  storeSummary,
  timeline,
  verifierKey,
} from "./store.ts";

export const namedShapes: Readonly<Record<string, TSchema>> = {
  AppendRequest: appendRequest,
  AppendResult: appendResult,
  CommandResult: commandResult,
  CreateRequest: createRequest,
  DocumentPatch: documentPatch,
  LineResult: lineResult,
  NewDocument: newDocument,
  NewEvent: newEvent,
  Artifact: artifact,
  Blame: blame,
  Checkpoint: checkpoint,
  CommonAncestors: commonAncestors,
  ConsistencyProof: consistencyProof,
  Derivation: derivation,
  EventPage: eventPage,
  ErasureRequest: erasureRequest,
  Explanation: explanation,
  FieldChange: fieldChange,
  History: history,
  Impact: impact,
  InclusionProof: inclusionProof,
  Instant: instant,
  Label: label,
  Labels: labels,
  Lineage: lineage,
  LineageDiff: lineageDiff,
  LineageEdge: edge,
  LineagePaths: lineagePaths,
  LineageRefs: lineageRefs,
  OutdatedSources: outdatedSources,
  Problem: problem,
  Subscription: subscription,
  SubscriptionList: subscriptionList,
  Projection: projection,
  Projections: projections,
  Receipt: receipt,
  Record: record,
  RecordDiff: recordDiff,
  RecordPage: recordPage,
  RecordedEvent: recordedEvent,
  Replay: replay,
  ResolvedRef: resolvedRef,
  StaleReport: staleReport,
  State: state,
  StoreChange: storeChange,
  StoreDiff: storeDiff,
  StoreErasure: storeErasure,
  StoreInfo: storeInfo,
  StoreSummary: storeSummary,
  Timeline: timeline,
  VerifierKey: verifierKey,
  VerifyReport: verifyReport,
  VersionRef: versionRef,
};
