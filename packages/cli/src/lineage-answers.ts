/** How the finer answers about lineage look: paths, common ancestors, what changed in a closure. */
import {
  formatRef,
  type CommonAncestors,
  type LineageDiff,
  type LineageEdge,
  type LineagePaths,
  type LineageRefs,
  type RecordVersionRef,
} from "@sennit/core";

import { kindAndName } from "./answers.ts";
import { plural, printable, type Output } from "./output.ts";

/** Steps of a path that are shown at its beginning and at its end. */
const stepsShown = 12;

/** Names the versions, one in a line, so that other programs can take them. */
export function printLineageRefs(out: Output, { nodes }: LineageRefs): void {
  for (const node of nodes) out.line(printable(formatRef(node)));
}

/** The paths, each in a line from what derives to what it rests on in the end. */
export function printPaths(out: Output, { derived, source, paths, hasMore }: LineagePaths): void {
  const [from, to] = [refText(out, derived), refText(out, source)];
  if (paths.length === 0) {
    out.line(
      hasMore
        ? `${from} rests on ${to} along paths too long to show`
        : `neither of ${from} and ${to} rests on the other`,
    );
    if (!hasMore) out.note("A path leads to the version that was used: name another with REF@V.");
    return;
  }
  const shortest = paths.length === 1 ? "the shortest path" : `the ${paths.length} shortest paths`;
  const count = hasMore ? shortest : plural(paths.length, "path");
  out.line(`${from} rests on ${to} along ${count}`);
  const width = String(paths.length).length;
  for (const [index, path] of paths.entries()) {
    const number = out.style("dim", `${String(index + 1).padStart(width)}. `);
    out.line(`${number}${refText(out, derived)}${pathText(out, path)}`);
  }
  if (hasMore) out.note("There are more paths; see more of them with --limit N.");
}

function pathText(out: Output, path: readonly LineageEdge[]): string {
  const steps = path.map(({ source, role }) => {
    const label = role === null ? "" : out.style("dim", ` (${printable(role)})`);
    return ` ${out.style("dim", "→")} ${printable(formatRef(source))}${label}`;
  });
  const left = steps.length - 2 * stepsShown;
  if (left <= 1) return steps.join("");
  const gap = ` ${out.style("dim", `→ … ${left} more …`)}`;
  return [...steps.slice(0, stepsShown), gap, ...steps.slice(-stepsShown)].join("");
}

/** A table of the common ancestors, those nearest to both first. */
export function printCommonAncestors(out: Output, { of, nodes }: CommonAncestors): void {
  const [first, second] = of.map((ref) => refText(out, ref));
  if (nodes.length === 0) {
    out.line(`${first} and ${second} have no ancestor in common`);
    return;
  }
  out.line(`${first} and ${second} have ${plural(nodes.length, "version")} in common`);
  const columns = [
    { title: "version" },
    { title: "what", flexible: true },
    { title: "status" },
    { title: "steps from the first", align: "right" },
    { title: "from the second", align: "right" },
    { title: "" },
  ] as const;
  out.table(
    columns,
    nodes.map((node) => [
      printable(formatRef(node)),
      kindAndName(node),
      out.status(node.status),
      String(node.depths[0]),
      String(node.depths[1]),
      node.isNearest ? out.style("bold", "nearest") : "",
    ]),
  );
}

/** What joined a closure and what fell in it, in lines. */
export function printLineageDiff(out: Output, diff: LineageDiff): void {
  const { of, direction, from, to, nodes } = diff;
  const what = direction === "ancestors" ? `what ${refText(out, of)} rests on` : undefined;
  const whole = what ?? `what rests on ${refText(out, of)}`;
  const invalid = nodes.filter(({ status }) => status === "invalid").length;
  const summary =
    nodes.length === 0
      ? "no difference"
      : `${plural(nodes.length, "version")} changed, ${invalid} of them invalid now`;
  out.line(`position ${from} -> ${to}, ${whole}: ${summary}`);
  for (const node of nodes) {
    const change =
      node.change === "withdrawn" ? out.style("red", "withdrawn") : out.style("green", "joined   ");
    const mark =
      node.change === "joined" && node.status === "invalid" ? `  ${out.status("invalid")}` : "";
    out.line(`${change}  ${refText(out, node)}  ${kindAndName(node)}${mark}`);
  }
}

function refText(out: Output, ref: RecordVersionRef): string {
  return out.style("bold", printable(formatRef(ref)));
}
