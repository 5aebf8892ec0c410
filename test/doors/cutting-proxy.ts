/** A proxy on a real socket that breaks connections off when a test wants it to. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface CuttingProxy {
  readonly url: string;
  /** How many of the next connections are broken off when the first bytes of an answer come. */
  cutAnswers: number;
  /** Breaks off what is open now. */
  cutAll(): void;
  /** From now on, bytes go to another server. */
  moveTo(url: string): void;
  close(): Promise<void>;
}

export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  let goal = new URL(target);
  const open = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(Number(goal.port), goal.hostname);
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.on("data", (chunk) => outer.write(chunk));
    outer.on("data", (chunk) => {
      if (proxy.cutAnswers > 0) {
        proxy.cutAnswers -= 1;
        inner.destroy();
      } else {
        inner.write(chunk);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const cutAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${port}`,
    cutAnswers: 0,
    cutAll,
    moveTo: (url) => {
      goal = new URL(url);
    },
    close: async () => {
      cutAll();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return proxy;
}
