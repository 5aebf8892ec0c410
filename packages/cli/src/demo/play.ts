/** Plays the story: real commands in this process, with their real output, at the times the story gives them. */
import { parseTimestamp } from "@sennit/core";

import type { Io } from "../io.ts";
import { commandLine, plural, type Output } from "../output.ts";
import { story, type Step } from "./story.ts";

type Run = (argv: readonly string[], io: Io) => Promise<number>;

/** @returns the exit code of the first command that failed, or 0 */
export async function playStory(io: Io, out: Output, directory: string, run: Run): Promise<number> {
  for (const { title, text, steps } of story) {
    out.line(`\n${out.style("bold", title)}`);
    out.line(`${text}\n`);
    for (const step of steps) {
      out.line(
        out.style("cyan", `$ ${commandLine(["sennit", ...step.words])}`) + inputNote(out, step),
      );
      const code = await run(
        ["--store", directory, ...actorFlag(step), ...step.words],
        stepIo(io, step),
      );
      if (code !== 0) return code;
      out.line();
    }
  }
  return 0;
}

function actorFlag({ actor }: Step): string[] {
  return actor === undefined ? [] : ["--actor", actor];
}

function inputNote(out: Output, { input }: Step): string {
  return input === undefined
    ? ""
    : out.style("dim", `   # ${plural(input.length, "event")} on standard input`);
}

/** The process as the command sees it: the story's clock, and its input. */
function stepIo(io: Io, { at, input = [] }: Step): Io {
  const nowUs = parseTimestamp(at) ?? 0;
  const text = input.map((event) => `${JSON.stringify(event)}\n`).join("");
  return {
    ...io,
    clock: { nowUs: () => nowUs },
    stdin: (async function* stdin() {
      yield Buffer.from(text);
    })(),
    // Hints for the next command would interrupt the story; errors must be seen.
    stderr: (line) => {
      if (line.startsWith("error")) io.stderr(line);
    },
  };
}
