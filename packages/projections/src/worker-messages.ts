/** What the thread of the store and a thread that makes a build say to each other. */
import type { Position } from "@sennit/core";

/** What the other thread begins with. */
export interface WorkerTask {
  /** Directory of the build's database: until it ends, the thread alone has it open. */
  readonly path: string;
  readonly name: string;
  readonly version: number;
  readonly begunAt: Position;
  /** Where the definition stands; null for a built-in one of that name. */
  readonly source: { readonly module: string; readonly export: string } | null;
}

/** From the store: stored entries one behind the other, or that no more will come. */
export type ToWorker =
  | {
      readonly type: "entries";
      /** Position of the first. */
      readonly from: Position;
      readonly lengths: Uint32Array;
      readonly bytes: ArrayBuffer;
    }
  | { readonly type: "end" };

/** To the store. */
export type FromWorker =
  /** The build is open and goes on behind this position. */
  | { readonly type: "ready"; readonly position: Position }
  /** One message of entries has been folded: another may be sent. */
  | { readonly type: "folded" }
  | { readonly type: "written"; readonly position: Position }
  /** It is closed; `isVoid` when content has been erased that may be in it. */
  | { readonly type: "done"; readonly isVoid: boolean }
  | { readonly type: "failed"; readonly message: string };
