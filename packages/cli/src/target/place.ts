/** Where the store of a command line is: in a directory, or behind a URL. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { StoreError } from "@sennit/core";

import type { Io } from "../io.ts";
import type { Values } from "../values.ts";

/** Directory of the default store. */
export const storeDirectoryName = ".sennit";

export type Place = { readonly directory: string } | { readonly url: string };

/** Where the store is. @throws `store-not-found` when nothing names one and none is near; `argument-invalid` */
export function findPlace(values: Values, { env, cwd }: Io): Place {
  const flag = values.text("store");
  if (flag === "") {
    throw new StoreError("argument-invalid", "--store is empty.", {
      hint: "Name a directory; a variable in the command may be unset.",
      details: { flag: "--store" },
    });
  }
  const named = flag ?? env["SENNIT_STORE"];
  if (named !== undefined && named !== "") {
    return isUrl(named) ? { url: checkedUrl(named) } : { directory: checkedDirectory(cwd, named) };
  }
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const candidate = join(directory, storeDirectoryName);
    if (existsSync(candidate)) return { directory: candidate };
    if (dirname(directory) === directory) break;
  }
  throw new StoreError("store-not-found", `There is no ${storeDirectoryName} here or above.`, {
    hint: "Make a store with: sennit init, or name one with --store DIR",
  });
}

function isUrl(named: string): boolean {
  return /^https?:/i.test(named);
}

/** @throws `argument-invalid` for what is meant as a URL and is no path of anything here */
function checkedDirectory(cwd: string, named: string): string {
  const directory = resolve(cwd, named);
  const isLikeUrl = /^[a-z][a-z\d+.-]*:\/\/|^[\w.-]+:\d{1,5}(\/|$)/i.test(named);
  if (!isLikeUrl || existsSync(directory)) return directory;
  throw new StoreError("argument-invalid", `${named} is neither a directory nor a URL with http.`, {
    hint: "Write the URL of a server like http://127.0.0.1:4600",
    details: { flag: "--store" },
  });
}

/**
 * The URL of a server, without a slash at its end. What may be a secret in it is not repeated.
 *
 * @throws `argument-invalid`
 */
function checkedUrl(named: string): string {
  const details = { flag: "--store" };
  const url = URL.canParse(named) ? new URL(named) : undefined;
  if (url === undefined || !/^https?:\/\//i.test(named)) {
    throw new StoreError("argument-invalid", "The URL of the store cannot be read.", {
      hint: "Write it like http://127.0.0.1:4600",
      details,
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new StoreError("argument-invalid", "The URL of the store holds a name or a password.", {
      hint: "Take it out of the URL, and put the token into the environment variable SENNIT_TOKEN.",
      details,
    });
  }
  if (url.search !== "" || url.hash !== "") {
    throw new StoreError("argument-invalid", "The URL of the store has a query or a fragment.", {
      hint: "Write it like http://127.0.0.1:4600",
      details,
    });
  }
  return url.href.replace(/\/+$/, "");
}

/**
 * The directory in which a store is to be made.
 *
 * @param deed what makes it, such as `sennit init`
 * @throws `argument-invalid` for a URL
 */
export function newStoreDirectory(cwd: string, named: string, deed: string): string {
  if (!isUrl(named)) return checkedDirectory(cwd, named);
  throw new StoreError("argument-invalid", `${deed} makes a store in a directory.`, {
    hint: "Name a directory; then serve it with: sennit serve --store DIR",
    details: { flag: "--store" },
  });
}
