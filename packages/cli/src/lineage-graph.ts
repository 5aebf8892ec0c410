/** Lineage as text for drawing programs: Mermaid and Graphviz DOT. Arrows point from source to what derives from it. */
import { formatRef, type Lineage, type RecordView } from "@sennit/core";

interface Box {
  readonly key: string;
  readonly lines: readonly string[];
  readonly isInvalid: boolean;
}

/** A Mermaid flowchart; withdrawn versions are pink. */
export function lineageMermaid(lineage: Lineage, start: RecordView): string {
  const boxes = boxesOf(lineage, start);
  const names = namesOf(boxes);
  const nodes = boxes.map(({ key, lines, isInvalid }) => {
    const label = lines.map(quoteMermaid).join("<br>");
    return `  ${names.get(key)}["${label}"]${isInvalid ? ":::invalid" : ""}`;
  });
  const edges = edgesOf(lineage, names).map(({ from, to, role }) => {
    return role === null ? `  ${from} --> ${to}` : `  ${from} -- "${quoteMermaid(role)}" --> ${to}`;
  });
  return ["flowchart TD", ...nodes, ...edges, "  classDef invalid fill:#fdd,stroke:#c00"].join(
    "\n",
  );
}

/** A Graphviz digraph; withdrawn versions are red. */
export function lineageDot(lineage: Lineage, start: RecordView): string {
  const boxes = boxesOf(lineage, start);
  const names = namesOf(boxes);
  const nodes = boxes.map(({ key, lines, isInvalid }) => {
    const color = isInvalid ? ', color="red"' : "";
    return `  ${names.get(key)} [label="${lines.map(quoteDot).join("\\n")}"${color}];`;
  });
  const edges = edgesOf(lineage, names).map(({ from, to, role }) => {
    return `  ${from} -> ${to}${role === null ? "" : ` [label="${quoteDot(role)}"]`};`;
  });
  return ["digraph lineage {", "  node [shape=box];", ...nodes, ...edges, "}"].join("\n");
}

function quoteMermaid(text: string): string {
  return oneLine(text)
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

function quoteDot(text: string): string {
  return oneLine(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

function boxesOf({ of, nodes, edges }: Lineage, start: RecordView): Box[] {
  const boxes = new Map<string, Box>();
  const add = (key: string, lines: readonly string[], isInvalid: boolean) => {
    if (!boxes.has(key)) boxes.set(key, { key, lines, isInvalid });
  };
  add(
    formatRef(of),
    [formatRef(of), `${start.kind} ${start.erased === undefined ? start.name : "(erased)"}`],
    start.status === "invalid",
  );
  for (const node of nodes) {
    const name = node.isErased === true ? "(erased)" : node.name;
    add(formatRef(node), [formatRef(node), `${node.kind} ${name}`], node.status === "invalid");
  }
  // An edge may pin another version of the start's content, which is no node of its own.
  for (const { derived, source } of edges) {
    for (const end of [derived, source]) add(formatRef(end), [formatRef(end)], false);
  }
  return [...boxes.values()];
}

function namesOf(boxes: readonly Box[]): Map<string, string> {
  return new Map(boxes.map(({ key }, index) => [key, `n${index}`]));
}

function edgesOf({ edges }: Lineage, names: ReadonlyMap<string, string>) {
  return edges.map(({ derived, source, role }) => ({
    from: names.get(formatRef(source)),
    to: names.get(formatRef(derived)),
    role,
  }));
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}
