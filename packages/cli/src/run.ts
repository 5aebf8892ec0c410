/** Runs one command line: finds the command, checks its words, runs it, and turns errors into words and exit codes. */
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

import { nearest, StoreError, toStoreError } from "@sennit/core";

import { globalFlags, type Command, type Flag } from "./command.ts";
import { Context } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { fileError } from "./file-error.ts";
import { commandHelp, overview } from "./help.ts";
import type { Io } from "./io.ts";
import { printable } from "./output.ts";
import { program } from "./program.ts";
import { Values } from "./values.ts";

/** The version in the package's manifest. */
export function packageVersion(): string {
  const manifest = createRequire(import.meta.url)("../package.json") as {
    readonly version: string;
  };
  return manifest.version;
}

/** Runs a command line and returns the exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await runCommand(argv, io);
  } catch (error) {
    return reportError(fileError(error) ?? toStoreError(error), argv, io);
  }
}

const helpWords: ReadonlySet<string> = new Set(["--help", "-h"]);

async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = commandFirst(argv);
  if (name === undefined || helpWords.has(name) || (name === "help" && rest.length === 0)) {
    io.stdout(`${overview(packageVersion())}\n`);
    return name === undefined ? exitCodes.invalid : 0;
  }
  if (name === "--version" || name === "version") {
    io.stdout(`${packageVersion()}\n`);
    return 0;
  }
  if (name === "help") {
    io.stdout(`${commandHelp(await loadCommand(rest[0] ?? ""))}\n`);
    return 0;
  }
  const command = await loadCommand(name);
  const values = parseValues(command, rest);
  if (values.flag("help")) {
    io.stdout(`${commandHelp(command)}\n`);
    return 0;
  }
  checkPositionals(command, values.positionals);
  checkInstant(command, values);
  const context = new Context(io, values);
  try {
    return (await command.run(context)) ?? 0;
  } finally {
    await context.close();
  }
}

/** Global flags may stand before the command's name; the name is brought to the front. */
function commandFirst(argv: readonly string[]): string[] {
  let at = 0;
  while (at < argv.length && argv[at]?.startsWith("--") === true) {
    const word = argv[at] ?? "";
    const flag = globalFlags.find((candidate) => word === `--${candidate.name}`);
    if (flag === undefined && !word.includes("=")) break;
    at += flag?.type === "string" ? 2 : 1;
  }
  const name = argv[at];
  if (at === 0 || name === undefined || name.startsWith("--")) return [...argv];
  return [name, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

/** @throws `usage` with the nearest command */
export async function loadCommand(name: string): Promise<Command> {
  const entry = Object.hasOwn(program, name) ? program[name] : undefined;
  if (entry !== undefined) return (await entry.load()).command;
  if (name.startsWith("-")) {
    throw new StoreError("usage", `${JSON.stringify(name)} stands where a command is expected.`, {
      hint: "Write the command first: sennit COMMAND [ARGUMENTS] [FLAGS]",
      details: { flag: name },
    });
  }
  const near = nearest(name, [...Object.keys(program), "help", "version"]);
  throw new StoreError("usage", `There is no command ${JSON.stringify(name)}.`, {
    hint: near === undefined ? "See: sennit help" : `Did you mean: sennit ${near}`,
    details: { command: name },
  });
}

function parseValues(command: Command, words: readonly string[]): Values {
  const flags = [...command.flags, ...globalFlags];
  const options = Object.fromEntries(
    flags.map(({ name, type, multiple }) => [name, { type, multiple: multiple ?? false }]),
  );
  try {
    const { values, positionals, tokens } = parseArgs({
      args: command.takesSigned === true ? behindDashes(words, flags) : [...words],
      options,
      allowPositionals: true,
      tokens: true,
    });
    rejectSecondValues(command, tokens);
    return new Values(values, positionals);
  } catch (error) {
    throw error instanceof StoreError ? error : usageError(command, flags, error);
  }
}

/**
 * The words with arguments such as `-tag.draft` behind a `--`, where they are no flags. A word that follows a flag which
 * takes a value is left to it.
 */
function behindDashes(words: readonly string[], flags: readonly Flag[]): string[] {
  const end = words.indexOf("--");
  const before = end === -1 ? words : words.slice(0, end);
  const takesValue = new Set(
    flags.filter(({ type }) => type === "string").map(({ name }) => `--${name}`),
  );
  const kept: string[] = [];
  const behind: string[] = [];
  for (const [index, word] of before.entries()) {
    const isValue = takesValue.has(before[index - 1] ?? "");
    const isArgument = !isValue && (/^-[^-]/.test(word) || !word.startsWith("-"));
    (isArgument ? behind : kept).push(word);
  }
  return [...kept, "--", ...behind, ...(end === -1 ? [] : words.slice(end + 1))];
}

/** Of two values one would be dropped. Global flags are let through: an alias may set what the line sets anew. */
function rejectSecondValues(
  { flags }: Command,
  tokens: readonly { readonly kind: string; readonly name?: string; readonly value?: unknown }[],
): void {
  for (const { name, multiple } of flags) {
    if (multiple === true) continue;
    const values = tokens.filter((token) => token.kind === "option" && token.name === name);
    const second = values.find(({ value }) => value !== values[0]?.value);
    if (second === undefined) continue;
    throw new StoreError("argument-invalid", `--${name} is given twice, with different values.`, {
      hint: "Give it once.",
      details: { flag: `--${name}`, value: second.value },
    });
  }
}

function usageError(command: Command, flags: readonly Flag[], error: unknown): StoreError {
  const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
  const starved = /Option '(--[^' ]+)[^']*' argument (?:missing|is ambiguous)/.exec(message)?.[1];
  if (starved !== undefined) {
    return new StoreError("usage", `${starved} needs a value.`, {
      hint: `A value that starts with a dash is written ${starved}=-VALUE.`,
      details: { command: command.name, flag: starved },
    });
  }
  const unknown = /Unknown option '--?([^']+)'/.exec(message)?.[1];
  const near =
    unknown === undefined
      ? undefined
      : nearest(
          unknown,
          flags.map(({ name }) => name),
        );
  const hint = near === undefined ? `See: sennit help ${command.name}` : `Did you mean: --${near}`;
  return new StoreError("usage", `${message}.`, {
    hint,
    details:
      unknown === undefined
        ? { command: command.name }
        : { command: command.name, flag: `--${unknown}` },
  });
}

function checkPositionals(command: Command, positionals: readonly string[]): void {
  const missing = command.arguments.find(
    ({ optional }, index) => optional !== true && positionals[index] === undefined,
  );
  if (missing !== undefined) {
    throw new StoreError("usage", `${missing.name} is missing: ${missing.help}.`, {
      hint: `See: sennit help ${command.name}`,
      details: { command: command.name, argument: missing.name },
    });
  }
  const takesRest = command.arguments.some(({ rest }) => rest === true);
  const extra = positionals[command.arguments.length];
  if (extra !== undefined && !takesRest) {
    throw new StoreError("usage", `${JSON.stringify(extra)} is one word too many.`, {
      hint: `See: sennit help ${command.name}`,
      details: { command: command.name, argument: extra },
    });
  }
}

function checkInstant(command: Command, values: Values): void {
  if (command.presentOnly !== true || values.text("as-of") === undefined) return;
  throw new StoreError("usage", `${command.name} works in the present; --as-of is for reading.`, {
    details: { command: command.name, flag: "--as-of" },
  });
}

/** Prints an error on stderr: two lines for people, the error's JSON with `--json`. */
function reportError(error: StoreError, argv: readonly string[], io: Io): number {
  if (argv.includes("--json")) {
    io.stderr(`${JSON.stringify(error)}\n`);
  } else {
    io.stderr(`error ${error.code}: ${messageLines(error)}\n`);
    const { issues } = error.details;
    if (Array.isArray(issues) && issues.length > 1) {
      for (const { pointer, message } of issues as { pointer: string; message: string }[]) {
        io.stderr(`  ${printable(pointer)} ${printable(message)}\n`);
      }
    }
    io.stderr(`hint: ${printable(error.hint)}\n`);
  }
  return exitCodes[error.category];
}

/** The message on one line, save where it marks a place in a query on the lines below. */
function messageLines({ code, message }: StoreError): string {
  if (code !== "query-invalid") return printable(message);
  return message.split("\n").map(printable).join("\n");
}
