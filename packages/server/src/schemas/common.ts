/** What many shapes are made of. */
import { Type, type Static, type TNull, type TSchema, type TUnion, type TUnsafe } from "typebox";

/** Any JSON. */
export const json = Type.Unknown();

export const position = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const version = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });
export const count = Type.Integer({ minimum: 0 });

/** RFC 3339, UTC, six digits. */
export const time = Type.String({
  format: "date-time",
  pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`,
});

/** 32 bytes as hexadecimal digits. */
export const digest = Type.String({ pattern: "^[0-9a-f]{64}$" });

/** Something, or null. */
export function nullable<Schema extends TSchema>(schema: Schema): TUnion<[Schema, TNull]> {
  return Type.Union([schema, Type.Null()]);
}

/** Two of the same shape, as JSON Schema 2020-12 has it. */
export function pair<Schema extends TSchema>(
  schema: Schema,
): TUnsafe<readonly [Static<Schema>, Static<Schema>]> {
  return Type.Unsafe({ type: "array", items: schema, minItems: 2, maxItems: 2 });
}

export const versionRef = Type.Object({ recordId: Type.String(), version });

/** Both ends are among them. */
export const versionRange = Type.Object({ from: version, to: version });

/** There only when the content was erased. */
export const isErased = Type.Optional(Type.Literal(true));
