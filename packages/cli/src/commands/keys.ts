/** `sennit keys`: makes, lists and revokes the keys that a server takes. */
import { formatTimestamp, parseTimestamp, StoreError } from "@sennit/core";
import type { KeyView, Scope } from "@sennit/server/keys";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { printable } from "../output.ts";

const deed = "Looking after keys";
const actions: Readonly<Record<string, (context: Context) => Promise<void>>> = {
  create,
  list,
  revoke,
};
/** Microseconds of the units of `--expires`. */
const units: Readonly<Record<string, number>> = { h: 3_600_000_000, d: 86_400_000_000 };

export const command = defineCommand({
  name: "keys",
  summary: "make, list and revoke the keys that a server takes",
  arguments: [
    { name: "ACTION", optional: true, help: "create, list or revoke; default: list" },
    {
      name: "NAME|ID",
      optional: true,
      help: "create: who uses the key, the actor of what it writes; revoke: which key",
    },
  ],
  flags: [
    {
      name: "scope",
      type: "string",
      multiple: true,
      value: "SCOPE",
      help: "What a new key allows: read, append, invalidate or admin",
    },
    {
      name: "kind",
      type: "string",
      multiple: true,
      value: "KIND",
      help: "A new key writes only records of this kind",
    },
    {
      name: "id-prefix",
      type: "string",
      multiple: true,
      value: "TEXT",
      help: "A new key writes only records whose ids begin so",
    },
    {
      name: "expires",
      type: "string",
      value: "WHEN",
      help: "When a new key ends: a time, or 12h, or 90d; default: never",
    },
  ],
  examples: [
    "sennit keys create beamline-7 --scope append --kind scan --expires 90d",
    "sennit keys list",
    "sennit keys revoke k3wq7fza",
  ],
  presentOnly: true,
  async run(context) {
    const { values } = context;
    const [action = "list"] = values.positionals;
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
    const count = values.positionals.length;
    const isWhole = action === "list" ? count < 2 : count === 2;
    if (run === undefined || !isWhole) {
      throw new StoreError("usage", "Write: sennit keys create NAME, list or revoke ID", {
        hint: "See: sennit help keys",
        details: { value: action },
      });
    }
    const flag = ["scope", "kind", "id-prefix", "expires"].find((name) => values.has(name));
    if (action !== "create" && flag !== undefined) {
      throw new StoreError("usage", `--${flag} belongs to: sennit keys create`, {
        details: { flag: `--${flag}` },
      });
    }
    await run(context);
    return undefined;
  },
});

async function create(context: Context): Promise<void> {
  const { values, out, io } = context;
  const directory = directoryOf(context);
  const { createKey, scopes } = await import("@sennit/server/keys");
  const wanted = values.texts("scope").map((text): Scope => {
    const scope = scopes.find((one) => one === text);
    if (scope !== undefined) return scope;
    throw new StoreError("argument-invalid", `${JSON.stringify(text)} is no scope.`, {
      hint: `The scopes are ${scopes.join(", ")}.`,
      details: { flag: "--scope", value: text },
    });
  });
  if (wanted.length === 0) {
    throw new StoreError("usage", "--scope is required.", {
      hint: `Say what the key allows, such as --scope read; the scopes are ${scopes.join(", ")}.`,
      details: { flag: "--scope" },
    });
  }
  const kinds = values.texts("kind");
  const recordIdPrefixes = values.texts("id-prefix");
  const { key, about } = await createKey(directory, {
    name: values.argument(1),
    scopes: wanted,
    limits: {
      ...(kinds.length > 0 && { kinds }),
      ...(recordIdPrefixes.length > 0 && { recordIdPrefixes }),
    },
    expiresAt: endOf(values.text("expires"), io.clock.nowUs()),
    clock: io.clock,
  });
  if (out.isJson) {
    out.json({ key, ...about });
    return;
  }
  out.line(key);
  out.note(`Key ${about.id} of ${printable(about.name)}. It is shown this once: keep it safe.`);
  out.note("Send it as Authorization: Bearer KEY, or set SENNIT_TOKEN for the sennit command.");
}

async function list(context: Context): Promise<void> {
  const { out, io } = context;
  const directory = directoryOf(context);
  const { listKeys } = await import("@sennit/server/keys");
  const keys = await listKeys(directory, io.clock);
  if (out.isJson) {
    out.json({ keys });
    return;
  }
  if (keys.length === 0) {
    out.note("There are no keys. Make one with: sennit keys create NAME --scope read");
    return;
  }
  out.table(
    [
      { title: "ID" },
      { title: "NAME", flexible: true },
      { title: "SCOPES" },
      { title: "STATUS" },
      { title: "CREATED" },
      { title: "EXPIRES" },
      { title: "WRITES ONLY", flexible: true },
    ],
    keys.map((key) => [
      key.id,
      printable(key.name),
      key.scopes.join(" "),
      key.status,
      out.ago(key.createdAt),
      key.expiresAt === null ? "never" : out.ago(key.expiresAt),
      printable(limitsText(key)),
    ]),
  );
}

function limitsText({ limits: { kinds = [], recordIdPrefixes = [] } }: KeyView): string {
  return [
    ...kinds.map((kind) => `kind ${kind}`),
    ...recordIdPrefixes.map((prefix) => `${prefix}…`),
  ].join(", ");
}

async function revoke(context: Context): Promise<void> {
  const { values, out, io } = context;
  const directory = directoryOf(context);
  const { revokeKey } = await import("@sennit/server/keys");
  const key = await revokeKey(directory, values.argument(1), io.clock);
  if (out.isJson) {
    out.json(key);
    return;
  }
  out.line(`${out.style("green", "revoked")} key ${key.id} of ${printable(key.name)}`);
}

/** The file of the keys is no part of the log: it may be changed whoever has the store open. */
function directoryOf(context: Context): string {
  return context.storeDirectory(deed, "Do it on the machine that has the store, with --store DIR.");
}

/** Hours or days from now as a time; what is neither is left for `createKey` to check. */
function endOf(text: string | undefined, nowUs: number): string | undefined {
  const [, count = "", unit = ""] = /^(\d{1,6})([hd])$/.exec(text ?? "") ?? [];
  const size = units[unit];
  if (size !== undefined) return formatTimestamp(nowUs + Number(count) * size);
  if (text === undefined || parseTimestamp(text) !== undefined) return text;
  throw new StoreError("argument-invalid", `${JSON.stringify(text)} is no end of a key.`, {
    hint: "Write 12h, 90d, or a time such as 2027-01-31T00:00:00Z",
    details: { flag: "--expires", value: text },
  });
}
