/** `sennit update`: makes a record's next version. */
import {
  isPlainObject,
  StoreError,
  updated,
  type DocumentPatch,
  type NewDerivation,
} from "@sennit/core";

import { writeOne } from "../answers.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { readSources } from "../sources.ts";
import { parseInteger, parseJson, type Values } from "../values.ts";

export const command = defineCommand({
  name: "update",
  summary: "make a record's next version",
  arguments: [{ name: "REF", help: "The record" }],
  flags: [
    {
      name: "set",
      type: "string",
      multiple: true,
      value: "FIELD=V",
      help: "name=... or attributes.PATH=JSON",
    },
    { name: "tag", type: "string", multiple: true, value: "K=V", help: "Set a tag" },
    { name: "untag", type: "string", multiple: true, value: "K", help: "Remove a tag" },
    { name: "uri", type: "string", multiple: true, value: "U", help: "Its URIs from now on" },
    {
      name: "from",
      type: "string",
      multiple: true,
      value: "REF[:ROLE]",
      help: "Its sources from now on",
    },
    {
      name: "add-from",
      type: "string",
      multiple: true,
      value: "REF[:ROLE]",
      help: "A further source",
    },
    {
      name: "patch",
      type: "string",
      value: "JSON",
      help: "A merge patch (RFC 7396) over the document",
    },
    {
      name: "expect",
      type: "string",
      value: "VERSION",
      help: "Refuse unless the record is at this version",
    },
    { name: "reason", type: "string", value: "TEXT", help: "Why" },
  ],
  examples: [
    "sennit update cfg-1 --set attributes.energy=8.4 --reason recalibrated",
    "sennit update model/braggnn --tag stage=prod --untag draft --expect 2",
  ],
  presentOnly: true,
  async run(context) {
    const { values } = context;
    const recordId = await context.resolveRecord(values.argument(0));
    const patch = await readPatch(context, recordId);
    if (Object.keys(patch).length === 0) {
      throw new StoreError("usage", "Nothing to update.", {
        hint: "Say what to change: sennit help update",
      });
    }
    const expect = values.text("expect");
    const event = updated(recordId, patch, {
      expectedVersion:
        expect === undefined ? undefined : parseInteger(expect, "--expect", 1, 0xffff_ffff),
    });
    const reason = values.text("reason");
    await writeOne(context, { ...event, data: { patch, reason } } as typeof event, "updated");
    return undefined;
  },
});

async function readPatch(context: Context, recordId: string): Promise<DocumentPatch> {
  const { values } = context;
  const patch: Record<string, unknown> = { ...values.jsonObject("patch") };
  const flag = values.has("patch") ? "--patch" : "--set";
  for (const [field, value] of values.pairs("set")) setField(patch, field, value, flag);
  const tags = {
    ...values.tags("tag"),
    ...Object.fromEntries(values.texts("untag").map((key) => [key, null])),
  };
  if (Object.keys(tags).length > 0) Object.assign(innerObject(patch, ["tags"], flag), tags);
  if (values.texts("uri").length > 0) patch["uris"] = values.texts("uri");
  const sources = await readNewSources(context, recordId, values);
  if (sources !== undefined) patch["derivedFrom"] = sources;
  return patch;
}

async function readNewSources(
  context: Context,
  recordId: string,
  values: Values,
): Promise<NewDerivation[] | undefined> {
  const added = await readSources(context, "add-from");
  if (values.texts("from").length > 0) return [...(await readSources(context, "from")), ...added];
  if (added.length === 0) return undefined;
  const { derivedFrom } = await (await context.store()).record(recordId);
  return [...derivedFrom, ...added];
}

/** Puts `attributes.a.b=JSON` or `name=TEXT` into a patch. */
function setField(patch: Record<string, unknown>, field: string, text: string, flag: string): void {
  if (field === "name") {
    patch["name"] = text;
    return;
  }
  const path = field.split(".");
  if (
    path[0] !== "attributes" ||
    path.length < 2 ||
    path.includes("") ||
    path.includes("__proto__")
  ) {
    throw new StoreError(
      "argument-invalid",
      `--set takes name=... or attributes.PATH=..., not ${JSON.stringify(field)}.`,
      {
        hint: `Write: --set attributes.${/^[\w.-]+$/.test(field) && path[0] !== "attributes" ? field : "PATH"}=...`,
        details: { flag: "--set", value: field },
      },
    );
  }
  const value = parseJson(text, "--set");
  const target = innerObject(patch, path.slice(0, -1), flag);
  target[path.at(-1) ?? ""] = value === undefined ? text : value;
}

/**
 * The object at a path of a patch, made where there is nothing yet.
 *
 * @throws `argument-invalid` naming the flag that has put something else there
 */
function innerObject(
  patch: Record<string, unknown>,
  path: readonly string[],
  flag: string,
): Record<string, unknown> {
  let target = patch;
  for (const [index, member] of path.entries()) {
    const inner = Object.hasOwn(target, member) ? target[member] : {};
    if (!isPlainObject(inner)) {
      const place = path.slice(0, index + 1).join(".");
      throw new StoreError(
        "argument-invalid",
        `${flag} sets ${place} to something that is no object, and another flag sets a member of it.`,
        { hint: "Say it in one flag.", details: { flag, member: place } },
      );
    }
    const next: Record<string, unknown> = { ...inner };
    target[member] = next;
    target = next;
  }
  return target;
}
