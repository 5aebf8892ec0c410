/** Terminal transcripts in Markdown: what is typed, at what time, and what must appear. */
import { CommandLine, shellWords } from "./command-line.ts";

/** One command of a transcript with the lines around it. */
interface Step {
  readonly comments: string[];
  readonly command: string;
  readonly output: string[];
}

/** Where the server of a transcript seems to answer. */
const shownUrl = "http://127.0.0.1:4600";

const timeComment = /^# (\d{4}-\d{2}-\d{2}T[^\s,]+)/;

/** @throws Error for a line that is neither a comment, nor a command, nor the output of one */
function stepsOf(block: string): Step[] {
  const steps: Step[] = [];
  let comments: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("# ")) {
      comments.push(line);
    } else if (line.startsWith("$ ")) {
      steps.push({ comments, command: line.slice(2), output: [] });
      comments = [];
    } else {
      const step = steps.at(-1);
      if (step === undefined || comments.length > 0) {
        throw new Error(`${JSON.stringify(line)} is the output of no command.`);
      }
      step.output.push(line);
    }
  }
  if (steps.length === 0 || comments.length > 0) throw new Error("The transcript ends in nothing.");
  return steps;
}

/** Replays the transcripts of one document in one directory, shown in their output under a made-up name. */
export class TranscriptPlayer {
  readonly #line: CommandLine;
  readonly #directory: string;
  readonly #shownDirectory: string;
  readonly #stop = new AbortController();
  #server: { readonly url: string; readonly end: Promise<unknown> } | undefined;
  #lastCode = 0;

  constructor(directory: string, shownDirectory: string) {
    this.#line = new CommandLine(directory);
    this.#directory = directory;
    this.#shownDirectory = shownDirectory;
  }

  /** Runs every command and returns the block with its true output: the same text when the block is true. */
  async play(block: string): Promise<string> {
    const lines: string[] = [];
    for (const { comments, command, output } of stepsOf(block)) {
      for (const comment of comments) {
        const time = timeComment.exec(comment)?.[1];
        if (time !== undefined) this.#line.setTime(time);
      }
      const actual = await this.run(command);
      const blankEnd = output.length - output.findLastIndex((line) => line !== "") - 1;
      const blanks = Array.from({ length: blankEnd }, () => "");
      lines.push(...comments, `$ ${command}`, ...(actual === "" ? [] : [actual]), ...blanks);
    }
    return lines.join("\n");
  }

  /**
   * Runs `sennit ...`, or `echo $?` for the exit code of the command before. `sennit serve &` goes on until the player is
   * closed. @returns what it printed
   */
  async run(command: string): Promise<string> {
    if (command === "echo $?") return String(this.#lastCode);
    if (command === "sennit serve &") return this.#shown(await this.#serve());
    const { url = "" } = this.#server ?? {};
    const [program, ...words] = shellWords(command);
    if (program !== "sennit") throw new Error(`${JSON.stringify(command)} is not sennit.`);
    const { code, output } = await this.#line.run(words.map((word) => word.replace(shownUrl, url)));
    this.#lastCode = code;
    return this.#shown(output);
  }

  /** Stops the server of the transcript. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#server?.end;
  }

  /** Serves at a free port. @returns what is printed once it does */
  #serve(): Promise<string> {
    return new Promise((resolve, reject) => {
      let output = "";
      const onOutput = (text: string): void => {
        output += text;
        const url = /http:\/\/[\d.:]+/.exec(output)?.[0];
        if (url === undefined || !output.includes("Ctrl-C")) return;
        this.#server = { url, end };
        resolve(output);
      };
      const words = ["serve", "--port", "0", "--log-level", "silent"];
      const end = this.#line.run(words, "", { signal: this.#stop.signal, onOutput });
      end.then(({ stderr }) => reject(new Error(`The server has ended: ${stderr}`)), reject);
    });
  }

  #shown(output: string): string {
    const placed = output.replaceAll(this.#directory, this.#shownDirectory).trimEnd();
    return this.#server === undefined ? placed : placed.replaceAll(this.#server.url, shownUrl);
  }

  /** The exit code of the last `sennit` command. */
  get lastCode(): number {
    return this.#lastCode;
  }
}
