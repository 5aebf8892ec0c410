/** The shapes that have a name in the document. */
import type { TSchema } from "typebox";

import { problem } from "./problem.ts";
import { record, recordPage, versionRef } from "./record.ts";

export const namedShapes: Readonly<Record<string, TSchema>> = {
  Problem: problem,
  Record: record,
  RecordPage: recordPage,
  VersionRef: versionRef,
};
