/** Reads text from a body line by line, as it is asked for. */
import { ClientError } from "./client-error.ts";

/** The chunks of a body. Whoever stops before the end cancels it, which closes the connection. */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Not every browser iterates over a stream.
  const reader = body.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isDone = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    isDone = true;
    throw error;
  } finally {
    if (!isDone) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

/** Lines without their ends, which are LF or CRLF; the last one needs none. Memory: the longest line and a chunk. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  for await (const chunk of chunksOf(body)) {
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    begun.push(first);
    for (const part of others) {
      yield withoutReturn(begun.join(""));
      begun = [part];
    }
  }
  begun.push(decoder.decode());
  const last = begun.join("");
  if (last !== "") yield withoutReturn(last);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** The values of NDJSON. @throws `server-unreachable` for a line that breaks off */
export async function* jsonLinesOf<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  for await (const line of linesOf(body)) {
    if (line === "") continue;
    let value: T;
    try {
      value = JSON.parse(line) as T;
    } catch (error) {
      throw new ClientError(
        "server-unreachable",
        "The answer breaks off in the middle of a line.",
        {
          details: { excerpt: line.slice(0, 200) },
          cause: error,
        },
      );
    }
    yield value;
  }
}
