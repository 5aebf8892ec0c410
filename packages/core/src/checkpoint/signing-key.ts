/** The key a store signs its checkpoints with: made once, kept in a file only its owner can read, never printed. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from "node:crypto";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { StoreError } from "../errors.ts";
import {
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  keyId,
  type Checkpoint,
  type VerifierKey,
} from "./signed-note.ts";

/** The private key in a store's directory `keys`, and beside it the public one as a verifier key. */
export const privateKeyName = "signing-key.pem";
export const publicKeyName = "verifier-key.txt";

/** An Ed25519 key pair with the name of the log it signs for. */
export class SigningKey {
  readonly verifierKey: VerifierKey;
  readonly #privateKey: KeyObject;

  private constructor(privateKey: KeyObject, verifierKey: VerifierKey) {
    this.#privateKey = privateKey;
    this.verifierKey = verifierKey;
  }

  /** Makes a new key. */
  static async generate(name: string): Promise<SigningKey> {
    return SigningKey.#of(name, generateKeyPairSync("ed25519").privateKey);
  }

  /** The key of a store that is being made: one that was left over from an attempt cut short, or a new one. @throws `key-invalid` */
  static async make(directory: string, name: string): Promise<SigningKey> {
    const known = await SigningKey.#read(directory, name);
    if (known !== undefined) return known;
    const key = await SigningKey.generate(name);
    await key.#save(directory);
    return key;
  }

  /**
   * Reads the key of a store's `keys` directory.
   *
   * @throws `key-invalid`, also when it is not there, because another would sign as if nothing had happened, and when the verifier key beside it is of another key or name: any 32 bytes make a private key, so
   * a changed one signs as well as the right one
   */
  static async open(directory: string, name: string): Promise<SigningKey> {
    const key = await SigningKey.#read(directory, name);
    if (key !== undefined) return key;
    throw new StoreError("key-invalid", `The store has lost its signing key: ${directory}.`, {
      hint: "Put back a copy of the directory; if the key is lost for good: sennit init --new-key",
      details: { path: directory },
    });
  }

  static async #read(directory: string, name: string): Promise<SigningKey | undefined> {
    const path = join(directory, privateKeyName);
    const pem = await readKeyFile(path);
    if (pem === undefined) return undefined;
    const key = await SigningKey.#of(name, parsePem(pem, path));
    await key.#compareWith(join(directory, publicKeyName));
    return key;
  }

  static async #of(name: string, privateKey: KeyObject): Promise<SigningKey> {
    const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
    // The last 32 bytes of the DER form are the key itself (RFC 8410 section 4).
    const publicKey = Uint8Array.from(spki.subarray(spki.length - 32));
    return new SigningKey(privateKey, { name, id: await keyId(name, publicKey), publicKey });
  }

  /** The checkpoint as a signed note. */
  signCheckpoint(checkpoint: Checkpoint): string {
    const text = formatCheckpoint(checkpoint);
    return formatNote(text, this.verifierKey, sign(null, Buffer.from(text), this.#privateKey));
  }

  async #compareWith(path: string): Promise<void> {
    const known = await readKeyFile(path);
    if (known === undefined || known.trim() === formatVerifierKey(this.verifierKey)) return;
    throw new StoreError(
      "key-invalid",
      `${path} does not belong to the private key beside it and the store's name ${this.verifierKey.name}.`,
      {
        hint: "One of the two files or sennit.json has changed: put back a copy of them.",
        details: { path },
      },
    );
  }

  async #save(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, privateKeyName);
    const pem = this.#privateKey.export({ type: "pkcs8", format: "pem" });
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(pem);
      await file.sync();
    } finally {
      await file.close();
    }
    await writeFile(join(directory, publicKeyName), `${formatVerifierKey(this.verifierKey)}\n`);
    await rename(`${path}.new`, path);
  }
}

/** The text of a key file; undefined only for one that is not there: what cannot be read now must never be replaced. */
async function readKeyFile(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new StoreError("key-invalid", `${path} cannot be read: ${error.message}`, {
      cause: error,
      details: { path },
    });
  });
}

function parsePem(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below, without a word of what the file holds.
  }
  throw new StoreError("key-invalid", `${path} holds no Ed25519 private key.`, {
    details: { path },
  });
}
