// Runs `sennit serve` in a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../packages/cli/bin/sennit.js", import.meta.url));

/** Starts a server over a store. Resolves when it answers. */
export async function startServer(directory, flags = []) {
  const child = spawn(
    process.execPath,
    [command, "serve", "--store", directory, "--port", "0", "--json", "--no-request-log", ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = (errors + chunk).slice(-10_000);
  });
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then(([code]) => {
      throw new Error(`The server ended with ${code} before it answered: ${errors}`);
    }),
  ]);
  const { url } = JSON.parse(line);
  const end = async (signal) => {
    child.kill(signal);
    const [code] = await exited;
    return { code, errors };
  };
  return { url: new URL(url), pid: child.pid, end, exited };
}
