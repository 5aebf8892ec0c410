/** Servers with TLS: how the directory leads to one, and what is said of a certificate that does not serve. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { certificateKey, labCertificate, localhostCertificate } from "./certificates.ts";
import { startServing, type ServerProcess } from "./served.ts";
import { spawned, withShell } from "./support.ts";

/** Gives `use` a server with a certificate, the path of which is that of the trusted ones, too. */
async function withTls(
  certificate: string,
  use: (
    directory: string,
    server: ServerProcess,
    trusting: Record<string, string>,
  ) => Promise<void>,
): Promise<void> {
  await withShell(async ({ directory }) => {
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(cert, certificate);
    await writeFile(key, certificateKey);
    const words = ["--port", "0", "--tls-cert", cert, "--tls-key", key];
    const server = await startServing(directory, words);
    try {
      await use(directory, server, { NODE_EXTRA_CA_CERTS: cert });
    } finally {
      server.child.kill("SIGKILL");
      await server.end;
    }
  });
}

test("a server with a certificate for localhost alone is found by the directory under that name", async () => {
  await withTls(localhostCertificate, async (directory, { url }, env) => {
    expect(new URL(url)).toMatchObject({ protocol: "https:", hostname: "localhost" });
    const created = await spawned(["create", "thing", "x", "--id", "x"], directory, { env });
    expect(created.code, created.stderr).toBe(0);
    expect(created.stderr).toContain(url);
  });
});

test("of a certificate that is not trusted it is said how it is", async () => {
  await withTls(localhostCertificate, async (directory) => {
    const { code, stderr } = await spawned(["list", "--json"], directory);
    expect(code).toBe(5);
    const { code: error, message, hint } = JSON.parse(stderr) as Record<string, string>;
    expect(error).toBe("server-unreachable");
    expect(message).toContain("not trusted");
    expect(hint).toContain("NODE_EXTRA_CA_CERTS");
  });
});

test("of a certificate for another name the name is told, with the address to ask at", async () => {
  await withTls(labCertificate, async (directory, { url }, env) => {
    const { code, stderr } = await spawned(["list", "--json"], directory, { env });
    expect(code).toBe(5);
    const { code: error, message, hint } = JSON.parse(stderr) as Record<string, string>;
    expect(error).toBe("server-unreachable");
    expect(message).toContain("lab.example.org");
    expect(hint).toContain(`https://lab.example.org:${new URL(url).port}`);
  });
});
