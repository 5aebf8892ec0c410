/** Runs `sennit` command lines in this process, at a time of the test's choosing. */
import { run } from "@sennit/cli/run";
import { parseTimestamp } from "@sennit/core";

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order they were written. */
  readonly output: string;
}

interface RunSettings {
  /** The command is stopped once it has printed a line: for commands without an end of their own. */
  readonly stopsAfterOutput?: boolean;
  /** Stops the command. */
  readonly signal?: AbortSignal;
  /** Sees what is printed on standard output as it is printed. */
  readonly onOutput?: (text: string) => void;
}

/** A directory in which commands run, with a clock that stands still. */
export class CommandLine {
  readonly #cwd: string;
  #nowUs: number;

  constructor(cwd: string, now = "2026-03-02T10:00:00Z") {
    this.#cwd = cwd;
    this.#nowUs = microseconds(now);
  }

  /** @param time RFC 3339 */
  setTime(time: string): void {
    this.#nowUs = microseconds(time);
  }

  async run(
    words: readonly string[],
    input = "",
    { stopsAfterOutput = false, signal, onOutput }: RunSettings = {},
  ): Promise<Outcome> {
    const stop = new AbortController();
    signal?.addEventListener("abort", () => stop.abort(), { once: true });
    const written: { readonly stream: "stdout" | "stderr"; readonly text: string }[] = [];
    const nowUs = this.#nowUs;
    const code = await run(words, {
      cwd: this.#cwd,
      env: {},
      stdin: (async function* stdin() {
        yield Buffer.from(input);
      })(),
      stdout: (text) => {
        written.push({ stream: "stdout", text });
        onOutput?.(text);
        if (stopsAfterOutput && text.endsWith("\n")) stop.abort();
      },
      stderr: (text) => written.push({ stream: "stderr", text }),
      isColorful: false,
      isInteractive: false,
      columns: undefined,
      clock: { nowUs: () => nowUs },
      signal: stop.signal,
    });
    const join = (stream?: "stdout" | "stderr") =>
      written
        .filter((part) => stream === undefined || part.stream === stream)
        .map(({ text }) => text)
        .join("");
    return { code, stdout: join("stdout"), stderr: join("stderr"), output: join() };
  }

  /** Runs a command that must succeed and print one JSON value. */
  async json(words: readonly string[], input?: string): Promise<unknown> {
    const { code, stdout, stderr } = await this.run([...words, "--json"], input);
    if (code !== 0) throw new Error(`sennit ${words.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }
}

function microseconds(time: string): number {
  const us = parseTimestamp(time);
  if (us === undefined) throw new Error(`${JSON.stringify(time)} is no time.`);
  return us;
}

/**
 * Splits a command line as a shell does: white space, single and double quotes.
 *
 * @throws Error for what it does not know, so that no command is misread in silence
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  const token = /\s*((?:'[^']*'|"[^"\\]*"|[^\s'"|&;<>$`\\*?~]+)+)/y;
  while (token.lastIndex < line.trimEnd().length) {
    const at = token.lastIndex;
    const match = token.exec(line);
    if (match === null) throw new Error(`Cannot read ${JSON.stringify(line.slice(at))}.`);
    words.push((match[1] ?? "").replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
  }
  return words;
}
