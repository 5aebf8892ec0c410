/** Which methods an address takes, of all that is registered, whoever registered it. */
import type { FastifyInstance } from "fastify";

/** In the order in which they are told; others stand behind them. */
const order = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

interface Known {
  readonly parts: readonly string[];
  readonly methods: Set<string>;
}

export class Addresses {
  readonly #known = new Map<string, Known>();

  /** Notes the routes of an instance. To be called before they are declared. */
  watch(app: FastifyInstance): void {
    app.addHook("onRoute", ({ url, method }) => {
      // What is for every address, such as the answer to a preflight, makes none of them an address.
      if (url === "*") return;
      const known = this.#known.get(url) ?? { parts: url.split("/"), methods: new Set() };
      for (const one of [method].flat()) known.methods.add(one);
      // Where a prefix stands with and without a slash, the second one's GET is not told, but the HEAD made of it.
      if (known.methods.has("HEAD")) known.methods.add("GET");
      this.#known.set(url, known);
    });
  }

  /** The methods for the path of a request, as the router would find them; none where nothing is. */
  methodsOf(path: string): readonly string[] {
    const parts = decoded(path).split("/");
    const methods = new Set<string>();
    for (const known of this.#known.values()) {
      if (fits(known.parts, parts)) for (const method of known.methods) methods.add(method);
    }
    const places = [...order, ...methods];
    return [...methods].toSorted((one, other) => places.indexOf(one) - places.indexOf(other));
  }
}

/** The path in the first line of a request, without the host that a proxy is told there, and what follows the path. */
export function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
}

/** The router looks at a path in this form; what cannot be read fits nothing. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return "";
  }
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === "*";
  if (isOpen ? parts.length < pattern.length : parts.length !== pattern.length) return false;
  return pattern.every((part, at) => part === "*" || part.startsWith(":") || part === parts[at]);
}
