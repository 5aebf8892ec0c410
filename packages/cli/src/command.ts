/** What a command is: its words, its flags, its examples, and what it does. */
import type { Context } from "./context.ts";

/** A flag of a command. */
export interface Flag {
  readonly name: string;
  readonly type: "boolean" | "string";
  /** May be given several times. */
  readonly multiple?: boolean;
  /** What stands for the value in the help, such as `K=V`. */
  readonly value?: string;
  readonly help: string;
}

/** A positional argument. */
interface Argument {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
  /** Takes all that follow. */
  readonly rest?: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly Argument[];
  readonly flags: readonly Flag[];
  /** At least two, each a whole command line that works. */
  readonly examples: readonly string[];
  /** Reads nothing of the past, so that `--as-of` is refused. */
  readonly presentOnly?: boolean;
  /** Arguments may begin with a minus, as in `-tag.draft`. */
  readonly takesSigned?: boolean;
  /** @returns the exit code; undefined means 0 */
  readonly run: (context: Context) => Promise<number | undefined>;
}

/** Declares a command. */
export function defineCommand(command: Command): Command {
  return command;
}

/** Flags every command takes. */
export const globalFlags: readonly Flag[] = [
  {
    name: "store",
    type: "string",
    value: "DIR|URL",
    help: "The store or its server; default: SENNIT_STORE, else the nearest .sennit above",
  },
  {
    name: "as-of",
    type: "string",
    value: "INSTANT",
    help: "Read as of a position, an RFC 3339 time or a label",
  },
  { name: "json", type: "boolean", help: "Print documented JSON instead of text" },
  { name: "actor", type: "string", value: "WHO", help: "Who does it; stored with every event" },
  { name: "help", type: "boolean", help: "Show this help" },
];

/** The global flags that mean something to a command. */
export function usableGlobalFlags({ presentOnly }: Command): readonly Flag[] {
  return globalFlags.filter(({ name }) => name !== "as-of" || presentOnly !== true);
}
