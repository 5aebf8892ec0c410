/** Lineage as a tree of lines. A version that was shown before is named again, not unfolded again. */
import {
  formatRef,
  type Lineage,
  type LineageNode,
  type RecordVersionRef,
  type RecordView,
} from "@sennit/core";

import { kindAndName } from "./answers.ts";
import { printable, type Output } from "./output.ts";

/** Levels that are indented; below them only the level's number grows, so that long chains stay readable. */
const indentLevelsMax = 24;

interface Step {
  readonly ref: RecordVersionRef;
  readonly label: string;
  readonly level: number;
  /** What stands before the branches of this step's children. */
  readonly indent: string;
  readonly branch: string;
}

/** The lines of the tree, the start first. */
export function* lineageTree(out: Output, lineage: Lineage, start: RecordView): Generator<string> {
  const nodes = new Map(lineage.nodes.map((node) => [formatRef(node), node]));
  const children = childrenOf(lineage);
  const shown = new Set<string>();
  const stack: Step[] = [{ ref: lineage.of, label: "", level: 0, indent: "", branch: "" }];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const key = formatRef(step.ref);
    const again = shown.has(key);
    const node = nodes.get(key);
    const text = node === undefined ? nodeText(out, startNode(start)) : nodeText(out, node);
    yield `${step.branch}${text}${step.label}${again ? out.style("dim", "  (see above)") : ""}`;
    if (again) continue;
    shown.add(key);
    stack.push(...childSteps(out, step, children.get(key) ?? []));
  }
}

interface Child {
  readonly ref: RecordVersionRef;
  readonly role: string | null;
}

function childrenOf({ of, direction, edges }: Lineage): Map<string, Child[]> {
  const children = new Map<string, Child[]>();
  const known = new Set(edges.map(({ derived }) => formatRef(derived)));
  for (const { derived, source, role } of edges) {
    const isUp = direction === "ancestors";
    // On the way down a dependant may pin another version of the same content; the tree hangs it under the one shown.
    const pinned = source.recordId === of.recordId && !known.has(formatRef(source)) ? of : source;
    const parent = formatRef(isUp ? derived : pinned);
    const list = children.get(parent) ?? [];
    list.push({ ref: isUp ? source : derived, role });
    children.set(parent, list);
  }
  return children;
}

/** The steps below one, last first, because the stack turns them round. */
function childSteps(out: Output, parent: Step, children: readonly Child[]): Step[] {
  const level = parent.level + 1;
  return children
    .map(({ ref, role }, index) => {
      const isLast = index === children.length - 1;
      const flat = level > indentLevelsMax;
      const branch = flat
        ? `${parent.indent}[${level}] `
        : `${parent.indent}${isLast ? "└─ " : "├─ "}`;
      const indent = flat ? parent.indent : `${parent.indent}${isLast ? "   " : "│  "}`;
      const label = role === null ? "" : out.style("dim", `  (${printable(role)})`);
      return { ref, label, level, indent, branch: out.style("dim", branch) };
    })
    .toReversed();
}

function startNode(record: RecordView): LineageNode {
  const { id, version, kind, name, status, erased } = record;
  const mark = erased === undefined ? {} : { isErased: true as const };
  return { recordId: id, version, kind, name, status, depth: 0, ...mark };
}

function nodeText(out: Output, node: LineageNode): string {
  const { recordId, version, status } = node;
  const id = out.style("bold", printable(`${recordId}@${version}`));
  const mark = status === "invalid" ? `  ${out.status(status)}` : "";
  return `${id}  ${kindAndName(node)}${mark}`;
}
