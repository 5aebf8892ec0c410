/** What a person who opens the address of a server gets, and what a program gets. */
import { expect, test } from "vitest";

import { made, withStartedServer } from "../testing/started-server.ts";

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

test("a browser is led from the address of the server to the page to read", async () => {
  await withStartedServer({ auth: "on" }, async ({ url }) => {
    for (const method of ["GET", "HEAD"]) {
      const init = { method, headers: { accept: browser } };
      const led = await fetch(url, { ...init, redirect: "manual" });
      expect(led.status).toBe(303);
      // Relative: in front of the server may be a proxy with a path of its own.
      expect(led.headers.get("location")).toBe("docs/");
      expect(led.headers.get("vary")).toContain("accept");
      const page = await fetch(url, init);
      expect([page.status, page.url]).toEqual([200, `${url}/docs/`]);
      expect(page.headers.get("content-type")).toContain("text/html");
    }
  });
});

test.each([undefined, "*/*", "application/json", "text/html;q=0.5, application/*"])(
  "a program that accepts %s is told addresses that are there, and nothing of the log",
  async (accept) => {
    await withStartedServer({ auth: "on" }, async ({ url, makeKey, append }) => {
      const { key } = await makeKey({});
      const ask = async () => {
        const response = await fetch(url, { headers: accept === undefined ? {} : { accept } });
        expect(response.status).toBe(200);
        expect(response.headers.get("sennit-position")).toBeNull();
        return (await response.json()) as { readonly links: Readonly<Record<string, string>> };
      };
      const before = await ask();
      await append(made("a"), key);
      expect(await ask()).toEqual(before);
      for (const path of Object.values(before.links)) {
        expect([path, (await fetch(url + path)).status]).not.toContain(404);
      }
    });
  },
);

test("who wants something else is told what there is", async () => {
  await withStartedServer({}, async ({ ask }) => {
    const refused = await ask("/", undefined, { headers: { accept: "text/csv" } });
    expect(refused.status).toBe(406);
  });
});
