/** Sources as they stand on a command line: `REF` or `REF:ROLE`. */
import { parseRef, StoreError, type NewDerivation } from "@sennit/core";

import type { Context } from "./context.ts";

/**
 * Reads `--from REF[:ROLE]` flags. A record whose id holds a colon is found first; then the last colon parts the role.
 *
 * @throws `source-unknown`, `ref-ambiguous`, `ref-invalid`
 */
export async function readSources(context: Context, flag: string): Promise<NewDerivation[]> {
  const sources: NewDerivation[] = [];
  for (const text of context.values.texts(flag))
    sources.push(await readSource(context, text, `--${flag}`));
  return sources;
}

async function readSource(context: Context, text: string, flag: string): Promise<NewDerivation> {
  const whole = await find(context, text);
  if (whole !== undefined) return whole;
  const colon = text.lastIndexOf(":");
  const found =
    colon > 0 && colon < text.length - 1 ? await find(context, text.slice(0, colon)) : undefined;
  if (found !== undefined) return { ...found, role: text.slice(colon + 1) };
  throw new StoreError(
    "source-unknown",
    `There is no record ${JSON.stringify(text)} to derive from.`,
    {
      hint: "Create it first; see what there is with: sennit list",
      details: { flag, value: text },
    },
  );
}

async function find(context: Context, ref: string): Promise<NewDerivation | undefined> {
  const store = await context.store();
  const resolved = await context.resolve(ref);
  if ((await store.findRecord(resolved)) === undefined) return undefined;
  const { target, version } = parseRef(resolved);
  return { recordId: target, version };
}
