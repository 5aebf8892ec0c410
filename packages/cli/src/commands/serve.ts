/** `sennit serve`: answers for a store over HTTP until it is stopped. */
import type { SettingsInput } from "@sennit/server";
import { flagOf, settingNames, settingTable, type Settings } from "@sennit/server/settings";

import { defineCommand, type Flag } from "../command.ts";
import type { Context } from "../context.ts";
import { plural, printable } from "../output.ts";
import { whenFree } from "../target/when-free.ts";
import { untilStopped } from "../until-stopped.ts";

const configFlag: Flag = {
  name: "config",
  type: "string",
  value: "FILE",
  help: "A JSON file of settings; default: SENNIT_CONFIG",
};

export const command = defineCommand({
  name: "serve",
  summary: "answer for the store over HTTP",
  arguments: [],
  flags: [...settingNames.map(flagFor), configFlag],
  examples: ["sennit serve", "sennit serve --store ./beamline-7 --port 4700 --log-level warn"],
  presentOnly: true,
  async run(context) {
    const { io, out, values } = context;
    const directory = context.storeDirectory("A server");
    const { resolveSettings, startServer } = await import("@sennit/server");
    const { settings: given, sources } = await resolveSettings({
      flags: flagValues(context),
      environment: io.env,
      file: values.text("config") ?? (io.env["SENNIT_CONFIG"] || undefined),
    });
    const isForReading = io.isInteractive && sources.logFormat === "default";
    const settings: Settings = isForReading ? { ...given, logFormat: "text" } : given;
    const log = { write: (line: string) => io.stderr(line) };
    const server = await whenFree(directory, io.signal, () =>
      startServer({ ...settings, directory, log, clock: io.clock }),
    );
    const { url, store } = server;
    try {
      const { storeId, head } = store;
      if (out.isJson) out.json({ url, pid: process.pid, store: directory, storeId, head });
      else {
        out.line(`Serving ${printable(directory)}, ${plural(head, "event")}, at ${url}`);
        out.line(`What can be asked: ${url}/docs`);
        out.line(`From elsewhere on this machine: sennit --store ${url} list`);
        out.line("Ctrl-C ends it.");
      }
      await untilStopped(io);
    } finally {
      await server.close();
    }
    if (!out.isJson) out.line("Stopped; all that was acknowledged is stored.");
    return undefined;
  },
});

function flagFor(name: keyof Settings): Flag {
  const { kind, description, range, default: usual } = settingTable[name];
  const flag = flagOf(name).slice(2);
  const meaning = description.replace(/\.$/, "");
  if (kind === "switch") return { name: flag, type: "boolean", help: meaning };
  const value = kind === "number" ? "N" : "TEXT";
  const shown = [usual ?? []].flat().join(", ");
  const help = `${meaning} (${range}${shown === "" ? "" : `; default: ${shown}`})`;
  return { name: flag, type: "string", value, help, multiple: kind === "list" };
}

/** What the flags say, by the names of the settings. */
function flagValues({ values }: Context): NonNullable<SettingsInput["flags"]> {
  const given = settingNames.filter((name) => values.has(flagOf(name).slice(2)));
  return Object.fromEntries(
    given.map((name) => {
      const { kind } = settingTable[name];
      const flag = flagOf(name).slice(2);
      if (kind === "switch") return [name, true];
      return [name, kind === "list" ? values.texts(flag) : values.text(flag)];
    }),
  );
}
