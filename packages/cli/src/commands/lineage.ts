/** `sennit lineage`: what a record rests on, or what rests on it. */
import { StoreError } from "@sennit/core";

import { noteAsOf } from "../answers.ts";
import { defineCommand } from "../command.ts";
import { lineageDot, lineageMermaid } from "../lineage-graph.ts";
import { lineageTree } from "../lineage-tree.ts";

const formats = ["tree", "mermaid", "dot"];

export const command = defineCommand({
  name: "lineage",
  summary: "what a record rests on, or what rests on it",
  arguments: [{ name: "REF[@V]", help: "The record: ID, ID@VERSION or KIND/NAME" }],
  flags: [
    { name: "up", type: "boolean", help: "Ancestors: what it rests on (the default)" },
    { name: "down", type: "boolean", help: "Descendants: what rests on it" },
    { name: "depth", type: "string", value: "N", help: "Steps at most" },
    { name: "format", type: "string", value: "FORMAT", help: "tree (the default), mermaid or dot" },
  ],
  examples: ["sennit lineage decision-1", "sennit lineage calibration-3 --down --format mermaid"],
  async run(context) {
    const { values, out, io } = context;
    if (values.flag("up") && values.flag("down")) {
      throw new StoreError("usage", "Give --up or --down, not both.", {
        details: { flag: "--down" },
      });
    }
    const format = values.text("format") ?? "tree";
    if (!formats.includes(format)) {
      throw new StoreError("argument-invalid", `--format must be one of ${formats.join(", ")}.`, {
        details: { flag: "--format", value: format },
      });
    }
    const direction = values.flag("down") ? "descendants" : "ancestors";
    const reader = await context.reader();
    const ref = await context.resolve(values.argument(0));
    const depth = values.integer("depth", 1);
    const lineage = await reader.lineage(ref, { direction, depth, signal: io.signal });
    if (out.isJson) {
      out.json(lineage);
      return undefined;
    }
    noteAsOf(context, reader);
    const start = await reader.record(`${lineage.of.recordId}@${lineage.of.version}`);
    if (format === "mermaid") out.line(lineageMermaid(lineage, start));
    else if (format === "dot") out.line(lineageDot(lineage, start));
    else for (const line of lineageTree(out, lineage, start)) out.line(line);
    return undefined;
  },
});
