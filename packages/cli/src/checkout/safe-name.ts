/** File names for ids and kinds: names of every file system, none like another, none that leads elsewhere. */
import { createHash } from "node:crypto";

/** Names that Windows keeps for devices, whatever follows a dot. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

/** Lower case, and dots only between other characters: such a text is its own name. */
const plainName = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

const plainLengthMax = 80;
const readableLengthMax = 40;
/** Hexadecimal digits of SHA-256 that tell names apart. */
const digestLength = 40;

/**
 * A name for a file or folder without its ending, at most 81 characters long.
 *
 * Two different texts have different names, also on disks that do not tell upper from lower case or that normalize
 * Unicode. A text that is no such name itself gets what can be read of it, `~`, and its digest; no plain name has a `~`.
 */
export function safeName(text: string): string {
  const isPlain = text.length <= plainLengthMax && plainName.test(text) && !deviceName.test(text);
  if (isPlain) return text;
  const readable = text
    .slice(0, 4 * readableLengthMax)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .slice(0, readableLengthMax)
    .replaceAll(/^-+|-+$/g, "");
  const digest = createHash("sha256").update(text).digest("hex").slice(0, digestLength);
  return `${deviceName.test(readable) ? "" : readable}~${digest}`;
}
