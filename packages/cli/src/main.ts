/** The process behind the `sennit` command. */
import { systemClock } from "@sennit/core";

import type { Io } from "./io.ts";
import { run } from "./run.ts";

/** Runs the process's command line and sets its exit code. */
export async function main(): Promise<void> {
  process.exitCode = await run(process.argv.slice(2), processIo());
  // Who stopped a command that was waiting for input does not wait for it any longer.
  process.stdin.destroy();
}

function processIo(): Io {
  const stop = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  const onSignal = () => {
    // The second ends the process as it does without a listener.
    for (const name of signals) process.off(name, onSignal);
    stop.abort();
  };
  for (const name of signals) process.on(name, onSignal);
  const left = new AbortController();
  // A reader that has seen enough (head, less) closes the pipe; that is no error of ours, and changes no exit code.
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    left.abort();
  };
  process.stdout.on("error", onError);
  process.stderr.on("error", onError);
  const noColor = (process.env["NO_COLOR"] ?? "") !== "";
  return {
    cwd: process.cwd(),
    env: process.env,
    stdin: process.stdin,
    stdout: (text) => {
      if (!left.signal.aborted) process.stdout.write(text);
    },
    stderr: (text) => process.stderr.write(text),
    isColorful: process.stdout.isTTY && !noColor,
    isInteractive: process.stderr.isTTY,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    clock: systemClock,
    signal: stop.signal,
    readerLeft: left.signal,
  };
}
