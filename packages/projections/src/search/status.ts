/** The states a record can be asked for by. */
import { StoreError } from "@sennit/core";

export type ListStatus = "valid" | "invalid" | "stale";

export const listStatuses: readonly ListStatus[] = ["valid", "invalid", "stale"];

/** @throws `argument-invalid` */
export function parseListStatus(text: string): ListStatus {
  const status = listStatuses.find((candidate) => candidate === text);
  if (status !== undefined) return status;
  throw new StoreError(
    "argument-invalid",
    `${JSON.stringify(text)} is no status: use ${listStatuses.join(", ")}.`,
    { details: { status: text } },
  );
}
