/** Opens the store of a command line, wherever it is. */
import { StoreError } from "@sennit/core";

import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { EmbeddedTarget } from "./embedded-target.ts";
import type { Place } from "./place.ts";
import type { Target } from "./target.ts";

/** @throws the codes of `openStore` */
export async function openTarget(place: Place, io: Io, out: Output): Promise<Target> {
  if ("url" in place) {
    throw new StoreError(
      "argument-invalid",
      `${place.url} is a URL; this version opens directories only.`,
      { details: { flag: "--store" } },
    );
  }
  const target = await EmbeddedTarget.open(place.directory, io.clock);
  const { damage } = target.store;
  // Answers from a damaged store are true where it is intact, and whoever reads them must know.
  if (damage !== undefined) out.note(`warning ${damage.code}: ${damage.message}`);
  return target;
}
