/** Checked by the compiler: the declared shapes and the types of the core and the projections agree: the same members, and every answer fits. */
import type {
  Blame,
  CommonAncestors,
  FieldChange,
  Impact,
  Lineage,
  LineageDiff,
  LineagePaths,
  LineageRefs,
  OutdatedSource,
  Receipt,
  RecordDiff,
  RecordedEvent,
  RecordView,
  Replay,
  StoreChange,
  StoreDiff,
  StoreSummary,
} from "@sennit/core";
import type {
  Explanation,
  ListPage,
  ProjectionStatus,
  StaleReport,
  Timeline,
} from "@sennit/projections";
import type { Static, TSchema } from "typebox";

import type * as decision from "./decision.ts";
import type * as event from "./event.ts";
import type * as history from "./history.ts";
import type * as lineage from "./lineage.ts";
import type * as record from "./record.ts";
import type * as store from "./store.ts";

/** Of a value as it is read: nothing in it is written. */
type Read<Value> = Value extends readonly (infer Item)[]
  ? readonly Read<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Read<Value[Key]> }
    : Value;

/** Of a value as JSON has it: a member that is undefined is not there. */
type Sent<Value> = Value extends readonly unknown[]
  ? { readonly [Key in keyof Value]: Sent<Value[Key]> }
  : Value extends object
    ? { readonly [Key in keyof Value]: Sent<Exclude<Value[Key], undefined>> }
    : Value;

/** The members that one of the two has and the other has not, anywhere in them; never when they are the same. */
type Difference<One, Other> = One extends readonly (infer Item)[]
  ? Other extends readonly (infer OtherItem)[]
    ? Difference<Item, OtherItem>
    : never
  : string extends keyof One
    ? never
    : One extends object
      ? Other extends object
        ?
            | Exclude<keyof One, keyof Other>
            | Exclude<keyof Other, keyof One>
            | {
                [Key in keyof One & keyof Other]-?: Difference<
                  NonNullable<One[Key]>,
                  NonNullable<Other[Key]>
                >;
              }[keyof One & keyof Other]
        : never
      : never;

/** `true` for a shape that the type fits and whose members are those of the type. */
type Agrees<Type, Schema extends TSchema> = [Sent<Type>] extends [Read<Static<Schema>>]
  ? [Difference<Type, Static<Schema>>] extends [never]
    ? true
    : Difference<Type, Static<Schema>>
  : "the type does not fit the shape";

type EventOf<Type extends RecordedEvent["type"]> = Extract<RecordedEvent, { readonly type: Type }>;

type AllTrue<Checks extends readonly true[]> = Checks;

/** The compiler refuses the tuple when one of its members is anything but true. */
export type Agreed = AllTrue<
  [
    Agrees<RecordView, typeof record.record>,
    Agrees<ListPage, typeof record.recordPage>,
    Agrees<Explanation, typeof record.explanation>,
    Agrees<FieldChange, typeof history.fieldChange>,
    Agrees<RecordDiff, typeof history.recordDiff>,
    Agrees<Blame, typeof history.blame>,
    Agrees<StoreChange, typeof history.storeChange>,
    Agrees<StoreDiff, typeof history.storeDiff>,
    Agrees<Lineage, typeof lineage.lineage>,
    Agrees<LineageRefs, typeof lineage.lineageRefs>,
    Agrees<LineageDiff, typeof lineage.lineageDiff>,
    Agrees<LineagePaths, typeof lineage.lineagePaths>,
    Agrees<CommonAncestors, typeof lineage.commonAncestors>,
    Agrees<Impact, typeof decision.impact>,
    Agrees<Replay, typeof decision.replay>,
    Agrees<Receipt, typeof decision.receipt>,
    Agrees<readonly OutdatedSource[], typeof decision.outdatedSources>,
    Agrees<StaleReport, typeof decision.staleReport>,
    Agrees<StoreSummary, typeof store.storeSummary>,
    Agrees<Timeline, typeof store.timeline>,
    Agrees<ProjectionStatus, typeof store.projection>,
    Agrees<EventOf<"record.created">, typeof event.createdEvent>,
    Agrees<EventOf<"record.updated">, typeof event.updatedEvent>,
    Agrees<EventOf<"record.invalidated">, typeof event.invalidatedEvent>,
  ]
>;
