/** Runs command lines in this process or in one of their own, in a temporary directory and at a time of the test's choosing. */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";

import { run } from "@sennit/cli/run";
import { FakeClock, withTemporaryDirectory } from "@sennit/core/testing";

/** The built command. */
export const builtCommand = join(import.meta.dirname, "../../packages/cli/bin/sennit.js");

/** What a command printed, and how it ended. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly cwd?: string;
  readonly isColorful?: boolean;
  readonly isInteractive?: boolean;
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Sees what is printed as it is printed. */
  readonly onStdout?: (text: string) => void;
}

const minuteUs = 60_000_000;

/** Runs commands in this process. Each command comes a minute after the one before; the first at 10:00. */
export class Shell {
  readonly directory: string;
  readonly clock: FakeClock = new FakeClock("2026-03-02T09:59:00Z");

  constructor(directory: string) {
    this.directory = directory;
  }

  async run(words: readonly string[], settings: ShellSettings = {}): Promise<Answer> {
    this.clock.advance(minuteUs);
    let stdout = "";
    let stderr = "";
    const code = await run(words, {
      cwd: settings.cwd ?? this.directory,
      env: settings.env ?? {},
      stdin: bytesOf(settings.input ?? ""),
      stdout: (text) => {
        stdout += text;
        settings.onStdout?.(text);
      },
      stderr: (text) => {
        stderr += text;
      },
      isColorful: settings.isColorful ?? false,
      isInteractive: settings.isInteractive ?? false,
      columns: settings.columns,
      clock: this.clock,
      signal: settings.signal ?? new AbortController().signal,
    });
    return { code, stdout, stderr };
  }

  /** What a command that must succeed prints on stdout. */
  async text(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(words);
    if (code !== 0) throw new Error(`sennit ${words.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** The answer of a command that must succeed, with `--json`. The caller names the shape it expects. */
  async json<T = Json>(...words: readonly string[]): Promise<T> {
    const stdout = await this.text(...words, "--json");
    return JSON.parse(stdout) as T;
  }

  /** The exit code and the error of a command that must fail, which must print nothing else. */
  async refusal(words: readonly string[], settings?: ShellSettings): Promise<Refusal> {
    const { code, stdout, stderr } = await this.run([...words, "--json"], settings);
    if (code === 0 || stdout !== "") throw new Error(`not refused: ${words.join(" ")}: ${stdout}`);
    const error = JSON.parse(stderr) as Omit<Refusal, "exit">;
    return { exit: code, ...error };
  }
}

export interface Refusal {
  readonly exit: number;
  readonly code: string;
  readonly category: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Json;
}

type Many = readonly Json[] | undefined;

/** A parsed answer. Its lists and parts have names; anything else is for the test to compare. */
export interface Json {
  readonly [member: string]: unknown;
  readonly record?: Json;
  readonly data?: Json;
  readonly invalidation?: Json | null;
  readonly records?: Many;
  readonly events?: Many;
  readonly versions?: Many;
  readonly errors?: Many;
  readonly nodes?: Many;
  readonly edges?: Many;
  readonly withdrawn?: Many;
  readonly outdated?: Many;
  readonly closure?: Many;
  readonly verdicts?: Many;
  readonly files?: Many;
}

/** Gives `use` a shell in a new directory with an empty store. */
export async function withShell<T>(use: (shell: Shell) => Promise<T>): Promise<T> {
  return withTemporaryDirectory(async (directory) => {
    const shell = new Shell(directory);
    await shell.text("init");
    return use(shell);
  });
}

async function* bytesOf(
  input: string | Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (typeof input === "string") yield Buffer.from(input);
  else if (input instanceof Uint8Array) yield input;
  else yield* input;
}

/** Events as NDJSON. */
export function ndjson(events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** A creation as a client sends it. */
export function creation(recordId: string, from: readonly string[] = []): object {
  const derivedFrom = from.map((source) => ({ recordId: source }));
  return { type: "record.created", recordId, data: { kind: "thing", name: recordId, derivedFrom } };
}

/** A fixed event id, different for each number. */
export function eventId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** Starts the built command. Its environment names no store. */
export function start(
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(process.execPath, [builtCommand, ...words], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A command that ends before it has read its input is what some tests are about.
  child.stdin?.on("error", () => {});
  return child;
}

/** The end of a process: exit code or signal, and what it printed. */
export function ended(child: ChildProcess): Promise<Answer & { readonly signal: string | null }> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? -1, signal, stdout, stderr }));
  });
}

/** Runs the built command to its end. */
export function spawned(
  words: readonly string[],
  cwd: string,
  settings: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Answer & { readonly signal: string | null }> {
  const child = start(words, cwd, settings.env);
  const end = ended(child);
  child.stdin?.end(settings.input ?? "");
  return end;
}
