/** The shape of a problem document (RFC 9457). */
import { Type } from "typebox";

export const problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
  code: Type.String(),
  category: Type.String(),
  hint: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
  errors: Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() })),
});
