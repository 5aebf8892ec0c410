// A process that answers for stores, started again when it dies.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const childPath = fileURLToPath(new URL("child.mjs", import.meta.url));
/** A process that takes longer than this for one store counts as crashed. Milliseconds. */
const patienceMs = 60_000;

/** Asks one store at a time. */
export class Asker {
  #child;
  #words = "";

  /** @returns what the store answers, or `{crashed}` with the reason */
  ask(directory, head) {
    const child = (this.#child ??= this.#start());
    return new Promise((resolve) => {
      const patience = setTimeout(() => child.process.kill("SIGKILL"), patienceMs);
      child.answer = (result) => {
        clearTimeout(patience);
        resolve(result);
      };
      child.process.stdin.write(`${JSON.stringify({ directory, head })}\n`);
    });
  }

  stop() {
    this.#child?.process.stdin.end();
    this.#child = undefined;
  }

  #start() {
    const child = { process: spawn(process.execPath, [childPath]), answer: () => {} };
    child.process.stdin.on("error", () => undefined);
    child.process.stderr.setEncoding("utf8").on("data", (text) => {
      this.#words = `${this.#words}${text}`.slice(-2000);
    });
    createInterface({ input: child.process.stdout }).on("line", (line) =>
      child.answer(JSON.parse(line)),
    );
    child.process.on("close", (code, signal) => {
      if (this.#child === child) this.#child = undefined;
      child.answer({ crashed: `${signal ?? `exit ${code}`} ${this.#words}`.trim() });
      this.#words = "";
    });
    return child;
  }
}
