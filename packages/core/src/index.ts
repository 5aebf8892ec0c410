/** The public API of the core: this list and nothing else. */
export { throwIfAborted, untilAborted } from "./abort.ts";
export {
  restoreStore,
  type RestoredStore,
  type RestoreStoreOptions,
} from "./backup/restore-store.ts";
export type { BackupOptions, BackupResult } from "./backup/take-backup.ts";
export {
  openCheckpoint,
  parseVerifierKey,
  type Checkpoint,
  type VerifierKey,
} from "./checkpoint/signed-note.ts";
export { systemClock, type Clock } from "./clock.ts";
export {
  errorCodes,
  isStoreError,
  StoreError,
  toStoreError,
  type ErrorCategory,
  type ErrorCode,
  type ErrorDetails,
  type Issue,
} from "./errors.ts";
export { nearest } from "./event/checker.ts";
export {
  documentMembers,
  placeholderKind,
  relations,
  type Artifact,
  type Derivation,
  type NewDerivation,
  type NewDocument,
  type RecordDocument,
  type Relation,
  type TagValue,
} from "./event/document.ts";
export { newRecordId, restored, withdrawn } from "./event/deeds.ts";
export {
  created,
  eventTypes,
  invalidated,
  replaced,
  updated,
  type DocumentPatch,
  type EventOptions,
  type EventType,
  type ExpectedVersion,
  type NewEvent,
  type NewInvalidation,
  type NewUpdate,
  type RecordedEvent,
} from "./event/event.ts";
export { canonicalJson, isPlainObject, jsonEqual, type JsonValue } from "./event/json.ts";
export { readJson, type JsonReading } from "./event/json-text.ts";
export { validateEvent } from "./event/validate.ts";
export {
  formatRef,
  isEventId,
  newEventId,
  parseRef,
  recordIdProblem,
  type EventId,
  type Position,
  type RecordId,
  type RecordVersionRef,
  type Ref,
  type Version,
} from "./ids.ts";
export { ingest, type IngestOptions, type IngestSummary } from "./ingest/ingest.ts";
export type { LineError, LineRefused, LineResult, LineStored } from "./ingest/line-result.ts";
export { limits } from "./limits.ts";
export { recordsRestingOn } from "./lineage/resting.ts";
export type { LineageDirection } from "./lineage/walk.ts";
export { erasedRecords, erasureKind, type ErasedVersions } from "./event/erasure.ts";
export type { EraseOptions, ErasureResult } from "./log/erase.ts";
export type {
  AppendedEvent,
  AppendOptions,
  AppendResult,
  EventLog,
  FollowOptions,
  ReadOptions,
  UnchangedSince,
} from "./log/event-log.ts";
export type { GroupWrite } from "./log/group-writer.ts";
export type { LogStatus } from "./log/recovery.ts";
export {
  openMemoryStore,
  openStore,
  openStoreOn,
  renewSigningKey,
  type OpenStoreOptions,
} from "./open-store.ts";
export { readStoreOwner, type StoreOwner } from "./owner-file.ts";
export { parseAsOf } from "./read/as-of.ts";
export type { EmbeddedReader } from "./read/embedded-reader.ts";
export { labelKind, labelPosition, labelRecordId } from "./read/labels.ts";
export { LongList } from "./read/long-list.ts";
export type * from "./read/reader.ts";
export type { ProvenVersion } from "./receipt/fold-closure.ts";
export type { ReceiptOptions } from "./receipt/make-receipt.ts";
export type { Receipt, ReceiptConsistency, ReceiptEntry } from "./receipt/receipt-format.ts";
export {
  verifyReceipt,
  type VerifiedReceipt,
  type VerifyReceiptOptions,
} from "./receipt/verify-receipt.ts";
export type { LostVersions } from "./repair/lost-versions.ts";
export { planRepair, type RepairPlan } from "./repair/plan-repair.ts";
export { repairStore, type RepairOptions, type RepairResult } from "./repair/repair-store.ts";
export type { RepairRecord } from "./repair/swap.ts";
export { openLevelStorage, type LevelStorageOptions } from "./storage/level-storage.ts";
export { openMemoryStorage } from "./storage/memory-storage.ts";
export type { KeyRange, Storage, StorageEntry, WriteBatch } from "./storage/storage.ts";
export { storeFormat } from "./store-directory.ts";
export type { EmbeddedStore, Store, StoreErasure } from "./store.ts";
export { formatTimestamp, parseTimestamp } from "./timestamp.ts";
export {
  exportForms,
  type ExportFormName,
  type ExportOptions,
  type ExportSummary,
} from "./transfer/export-log.ts";
export {
  importStore,
  looksLikeExport,
  type ImportedStore,
  type ImportOptions,
} from "./transfer/import-log.ts";
export type {
  StorePart,
  VerifyOptions,
  VerifyProblem,
  VerifyProgress,
  VerifyReport,
} from "./verify.ts";
