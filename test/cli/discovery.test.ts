/** A store that a server has open: who asks in its directory is answered by the server, and by nobody else. */
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { expect, test } from "vitest";

import { startServing, withServing } from "./served.ts";
import { creation, ended, ndjson, spawned, start, withShell, type Shell } from "./support.ts";

const ownerOf = ({ directory }: Shell) => join(directory, ".sennit", "owner.json");

async function tokenIn(shell: Shell): Promise<string> {
  const { token } = JSON.parse(await readFile(ownerOf(shell), "utf8")) as { token: string };
  return token;
}

test("another process asks in the directory, is answered by the server, and says which one", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    await withServing(shell.directory, async ({ url }) => {
      const token = await tokenIn(shell);
      const written = await spawned(["update", "it", "--tag", "a=1"], shell.directory);
      expect(written).toMatchObject({ code: 0 });
      expect(written.stderr).toContain(url);
      expect(written.stdout + written.stderr).not.toContain(token);
      const env = { SENNIT_STORE: join(shell.directory, ".sennit") };
      const shown = await spawned(["show", "thing/it", "--json"], "/", { env });
      expect(shown).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(shown.stdout)).toMatchObject({ id: "it", version: 2, tags: { a: 1 } });
    });
  });
});

test("after kill -9 of the server the directory answers by itself", async () => {
  await withShell(async (shell) => {
    await withServing(shell.directory, async ({ child, end }) => {
      await spawned(["create", "thing", "it", "--id", "it"], shell.directory);
      child.kill("SIGKILL");
      await end;
      const { code, stderr } = await spawned(["show", "it"], shell.directory);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    });
  });
});

test("a store that something else than a server has open is in use", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    const child = start(["log", "--follow", "--json"], shell.directory);
    const end = ended(child);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const { exit, code, details } = await shell.refusal(["show", "it"]);
    expect({ exit, code }).toEqual({ exit: 5, code: "store-locked" });
    expect(details).toMatchObject({ pid: child.pid, url: null });
    child.kill("SIGINT");
    await end;
  });
});

test("a server of another store is not taken for the one that has this open", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    await withShell(async (other) => {
      await other.text("create", "thing", "another", "--id", "it");
      await withServing(other.directory, async ({ url }) => {
        const child = start(["log", "--follow", "--json"], shell.directory);
        const end = ended(child);
        await new Promise((resolve) => child.stdout?.once("data", resolve));
        await writeFile(ownerOf(shell), JSON.stringify({ pid: child.pid, url }));
        expect(await shell.refusal(["show", "it"])).toMatchObject({ code: "store-locked" });
        child.kill("SIGINT");
        await end;
      });
    });
  });
});

test("a server that does not answer is told of, and one that goes meanwhile leaves the store to who asks", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    const child = start(["log", "--follow", "--json"], shell.directory);
    const end = ended(child);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const owner = { pid: child.pid, url: "http://127.0.0.1:9" };
    await writeFile(ownerOf(shell), JSON.stringify(owner));
    expect(await shell.refusal(["show", "it"])).toMatchObject({
      exit: 5,
      code: "server-unreachable",
    });
    const shown = spawned(["show", "it", "--json"], shell.directory);
    child.kill("SIGINT");
    await end;
    expect(await shown).toMatchObject({ code: 0, stderr: "" });
  });
});

test("with keys a server takes its own for who may read the directory, and asks others for one", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    const keyOf = async (...words: string[]) =>
      (await shell.json<{ readonly key: string }>("keys", "create", ...words)).key;
    const writer = await keyOf("beamline-7", "--scope", "append");
    const reader = await keyOf("maria", "--scope", "read");
    await withServing(shell.directory, async ({ url }) => {
      const there = async (token: string | undefined, ...words: string[]) => {
        const env: Record<string, string> = token === undefined ? {} : { SENNIT_TOKEN: token };
        const answer = await shell.run(["--store", url, ...words], { env });
        if (token !== undefined) expect(answer.stdout + answer.stderr).not.toContain(token);
        return answer;
      };
      expect((await shell.run(["show", "it"])).code).toBe(0);
      for (const token of [undefined, "wrong", `${reader}x`]) {
        const { code, stdout, stderr } = await there(token, "show", "it");
        expect({ code, stdout }).toEqual({ code: 7, stdout: "" });
        expect(stderr).toContain("error unauthenticated");
      }
      expect((await there(reader, "show", "it")).code).toBe(0);
      const refused = await there(reader, "create", "thing", "more", "--json");
      expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([7, { code: "forbidden" }]);
      const created = await there(writer, "create", "thing", "more", "--id", "more", "--json");
      expect([created.code, JSON.parse(created.stdout)]).toMatchObject([0, { record: null }]);
      expect((await there(writer, "show", "it")).code).toBe(7);
      const broken = await there("two words", "show", "it");
      expect(broken.code).toBe(2);
    });
    expect(await shell.json("show", "more")).toMatchObject({ actor: "beamline-7" });
  });
});

test("a backup through the server of a directory holds the private key, and one by URL does not take it away", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    await withServing(shell.directory, async ({ url }) => {
      expect(await shell.json("backup", "copy")).toMatchObject({ head: 1, signingKey: true });
      const [kept, own] = await Promise.all(
        ["copy", ".sennit"].map((place) =>
          readFile(join(shell.directory, place, "keys", "signing-key.pem"), "utf8"),
        ),
      );
      expect(kept).toBe(own);
      const byUrl = ["backup", "copy", "--store", url];
      expect(await shell.refusal(byUrl)).toMatchObject({ code: "argument-invalid" });
      const without = await shell.json(...byUrl, "--without-key");
      expect(without).toMatchObject({ added: 0, signingKey: false });
    });
  });
});

test("when the user stops, lines that were read are stored by the server, too, and counted", async () => {
  await withShell(async (shell) => {
    await withServing(shell.directory, async ({ url }) => {
      const stop = new AbortController();
      async function* input(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(ndjson([creation("a"), creation("b")]));
        stop.abort();
        // What comes from here on is waited for in vain.
        await new Promise(() => undefined);
      }
      const words = ["ingest", "-", "--json", "--store", url];
      const settings = { input: input(), signal: stop.signal };
      const { code, stdout, stderr } = await shell.run(words, settings);
      expect(JSON.parse(stdout)).toMatchObject({ stored: 2, refused: 0, head: 2 });
      expect([code, JSON.parse(stderr)]).toMatchObject([130, { code: "aborted" }]);
      expect((await shell.run(["show", "b", "--store", url])).code).toBe(0);
    });
  });
});

test("when the server is killed amid lines, the sender is told up to which line it is known what became of them", async () => {
  await withShell(async (shell) => {
    const server = await startServing(shell.directory);
    async function* input(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(ndjson([creation("a"), creation("b")]));
      while ((await shell.run(["show", "b", "--store", server.url])).code !== 0);
      server.child.kill("SIGKILL");
      await server.end;
      yield Buffer.from(ndjson([creation("c")]));
    }
    const words = ["ingest", "-", "--batch", "1", "--store", server.url];
    const { code, stdout, stderr } = await shell.run(words, { input: input() });
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toMatch(/line 2\b/);
  });
});

test("a password in a URL is refused and not repeated", async () => {
  await withShell(async (shell) => {
    const words = ["show", "it", "--store", "http://me:hunter2@127.0.0.1:4600"];
    const { code, stderr } = await shell.run(words);
    expect(code).toBe(2);
    expect(stderr).not.toContain("hunter2");
  });
});

test("a follower of a server goes on when the server has been started anew, without gap or repetition", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "1", "--id", "it");
    const first = await startServing(shell.directory);
    const port = new URL(first.url).port;
    const follower = start(["log", "it", "--follow", "--json", "--store", first.url], "/");
    const followerEnd = ended(follower);
    const versions = versionsOf(follower);
    await versions.until(1);
    await shell.text("update", "it", "--tag", "a=2");
    await versions.until(2);
    first.child.kill("SIGKILL");
    await first.end;
    await shell.text("update", "it", "--tag", "a=3");
    const second = await startServing(shell.directory, ["--port", port]);
    await versions.until(3);
    await shell.text("update", "it", "--tag", "a=4");
    await versions.until(4);
    expect(versions.seen).toEqual([1, 2, 3, 4]);
    // Whoever reads it goes away, which the next event shows.
    follower.stdout?.destroy();
    await shell.text("update", "it", "--tag", "a=5");
    expect(await followerEnd).toMatchObject({ code: 0, signal: null });
    second.child.kill("SIGTERM");
    await second.end;
  });
});

test("who found the server by the directory goes on when one is started anew, which takes another credential", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "1", "--id", "it");
    const first = await startServing(shell.directory);
    const follower = start(["log", "it", "--follow", "--json"], shell.directory);
    const followerEnd = ended(follower);
    const versions = versionsOf(follower);
    await versions.until(1);
    const token = await tokenIn(shell);
    first.child.kill("SIGKILL");
    await first.end;
    const { port } = new URL(first.url);
    const second = await startServing(shell.directory, ["--port", port]);
    expect(await tokenIn(shell)).not.toBe(token);
    await shell.text("update", "it", "--tag", "a=2");
    await Promise.race([versions.until(2), followerEnd]);
    expect(versions.seen).toEqual([1, 2]);
    follower.kill("SIGINT");
    expect(await followerEnd).toMatchObject({ code: 0, signal: null });
    second.child.kill("SIGTERM");
    await second.end;
  });
});

test("who found the server by the directory finds it again when it is started anew at another port", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "1", "--id", "it");
    const first = await startServing(shell.directory);
    const follower = start(["log", "it", "--follow", "--json"], shell.directory);
    const sender = start(["ingest", "-", "--json"], shell.directory);
    const ends = [ended(follower), ended(sender)];
    const versions = versionsOf(follower);
    await versions.until(1);
    sender.stdin?.write(ndjson([update("a")]));
    await versions.until(2);
    first.child.kill("SIGKILL");
    await first.end;
    // What listens at the old port is nobody who knows the store.
    const other = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => {
      other.listen(Number(new URL(first.url).port), "127.0.0.1", resolve);
    });
    const second = await startServing(shell.directory);
    expect(second.url).not.toBe(first.url);
    sender.stdin?.end(ndjson([update("b")]));
    await Promise.race([versions.until(3), ends[0]]);
    expect(versions.seen).toEqual([1, 2, 3]);
    follower.kill("SIGINT");
    expect(await Promise.all(ends)).toMatchObject([{ code: 0 }, { code: 0 }]);
    other.close();
    second.child.kill("SIGTERM");
    await second.end;
  });
});

function update(tag: string): object {
  return { type: "record.updated", recordId: "it", data: { patch: { tags: { [tag]: 1 } } } };
}

/** The versions in the events that a follower prints, one in a line. */
function versionsOf(child: ReturnType<typeof start>) {
  const seen: number[] = [];
  const waiting: (() => void)[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) seen.push((JSON.parse(line) as { version: number }).version);
    for (const wake of waiting.splice(0)) wake();
  });
  const until = async (version: number): Promise<void> => {
    while (!seen.includes(version)) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { seen, until };
}
