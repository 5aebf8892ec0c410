/** What a command may touch of the process it runs in, so that tests and the demo can run commands in their own. */
import type { Clock } from "@sennit/core";

export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Data, and nothing else. */
  readonly stdout: (text: string) => void;
  /** Talk: errors, hints, progress. */
  readonly stderr: (text: string) => void;
  /** Colour and boxes may be used on stdout. */
  readonly isColorful: boolean;
  /** Progress may be shown on stderr, over and over in one line. */
  readonly isInteractive: boolean;
  /** Characters in a line of the terminal; undefined when there is none. */
  readonly columns: number | undefined;
  readonly clock: Clock;
  /** Fires when the user wants to stop (Ctrl-C, or `SIGTERM`). */
  readonly signal: AbortSignal;
  /** Fires when nobody reads stdout any more. What a command then prints is lost, and its exit code is still wanted. */
  readonly readerLeft?: AbortSignal | undefined;
}
