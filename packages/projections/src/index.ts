/** The public API of the projections: this list and nothing else. */
export type { KeyPart } from "./keys.ts";
export type { ListQuery } from "./list-query.ts";
export type { FollowLineageOptions, LineageDelta } from "./live/lineage-deltas.ts";
export type { FollowRecordsOptions, RecordsDelta } from "./live/record-deltas.ts";
export { parseCursor, type Cursor } from "./cursor.ts";
export type { PackedTable } from "./packed-table.ts";
export { defineProjection, type ProjectionDefinition, type Rows } from "./projection.ts";
export type { ProjectionRows, Row, RowRange } from "./projection-rows.ts";
export {
  timelineBuckets,
  timelineFields,
  type Timeline,
  type TimelineBucket,
  type TimelineField,
  type TimelineQuery,
  type TimelineRow,
} from "./read-models/timeline.ts";
export type { RowValue } from "./row-value.ts";
export {
  describeProjection,
  type ProjectionProgress,
  type ProjectionState,
  type ProjectionStatus,
  type RebuildProgress,
} from "./progress.ts";
export { listStatuses, parseListStatus, type ListStatus } from "./search/status.ts";
export type {
  Explanation,
  ListOptions,
  ListPage,
  StaleEdge,
  StaleReport,
  ViewReader,
} from "./view-reader.ts";
export type { EmbeddedViewReader } from "./embedded-view-reader.ts";
export { openViews, type OpenViewsOptions, type Views } from "./views.ts";
