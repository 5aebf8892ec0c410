/** A server on a real socket that answers as a script says, for what no sound server does. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came in. */
interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answerer = (received: Received, response: ServerResponse) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly received: readonly Received[];
  readonly close: () => Promise<void>;
}

/** Answers the first request as the first of the script says, and so on; the last one answers all that follow. */
export async function scriptedServer(
  script: readonly Answerer[],
  port = 0,
): Promise<ScriptedServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = "", url = "", headers } = request;
      received.push({ method, url, headers, body });
      script[Math.min(received.length, script.length) - 1]?.(
        { method, url, headers, body },
        response,
      );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${bound}`, received, close };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Answers with JSON. */
export function json(
  value: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Answerer {
  return (_received, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
}

/** Answers with a problem document. */
export function problem(
  status: number,
  code: string,
  category: string,
  headers: Record<string, string> = {},
): Answerer {
  const about = {
    type: `/docs/errors#${code}`,
    title: code,
    instance: "1",
    details: {},
    errors: [],
  };
  return json(
    { ...about, status, code, category, detail: "It failed.", hint: "Wait." },
    { status, headers },
  );
}

/** Closes the connection without a word. */
export const hangUp: Answerer = (_received, response) => {
  response.socket?.destroy();
};
