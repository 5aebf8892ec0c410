/** Artifacts from files: name, size and SHA-256, read in constant memory. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { StoreError, type Artifact } from "@sennit/core";

import { fileReason } from "./file-error.ts";

/** Describes a file. @throws `file-unreadable` */
export async function describeArtifact(cwd: string, path: string): Promise<Artifact> {
  const file = resolve(cwd, path);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
  } catch (error) {
    throw new StoreError("file-unreadable", `Cannot read ${path}: ${fileReason(error)}.`, {
      cause: error,
      details: { flag: "--artifact", path },
    });
  }
  return {
    name: basename(file),
    uri: pathToFileURL(file).href,
    sizeBytes,
    sha256: hash.digest("hex"),
  };
}
