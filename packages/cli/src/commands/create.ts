/** `sennit create`: creates a record. */
import { created, newRecordId, type JsonValue } from "@sennit/core";

import { writeOne } from "../answers.ts";
import { describeArtifact } from "../artifacts.ts";
import { defineCommand } from "../command.ts";
import { readSources } from "../sources.ts";

export const command = defineCommand({
  name: "create",
  summary: "create a record",
  arguments: [
    { name: "KIND", help: "What it is: dataset, config, model, decision, ..." },
    { name: "NAME", help: "What people call it" },
  ],
  flags: [
    {
      name: "id",
      type: "string",
      value: "ID",
      help: "Its id; default: the kind and ten random letters",
    },
    {
      name: "tag",
      type: "string",
      multiple: true,
      value: "K=V",
      help: "A tag; numbers and true/false are typed",
    },
    { name: "uri", type: "string", multiple: true, value: "U", help: "Where it can be found" },
    {
      name: "from",
      type: "string",
      multiple: true,
      value: "REF[:ROLE]",
      help: "What it was derived from",
    },
    { name: "attr", type: "string", value: "JSON", help: "Its attributes, a JSON object" },
    {
      name: "artifact",
      type: "string",
      multiple: true,
      value: "PATH",
      help: "A file of it; size and SHA-256 are stored",
    },
    {
      name: "on-invalidate",
      type: "string",
      multiple: true,
      value: "ID",
      help: "An action to take when it is withdrawn",
    },
    { name: "occurred-at", type: "string", value: "TIME", help: "When it happened, RFC 3339" },
  ],
  examples: [
    'sennit create config "run 7" --id cfg-1 --tag energy=8.3',
    "sennit create model braggnn --from ds-1:training-data --tag loss=0.12",
  ],
  presentOnly: true,
  async run(context) {
    const { values, io } = context;
    const kind = values.argument(0);
    const artifacts = await Promise.all(
      values.texts("artifact").map((path) => describeArtifact(io.cwd, path)),
    );
    const document = {
      kind,
      name: values.argument(1),
      tags: values.tags("tag"),
      uris: values.texts("uri"),
      attributes: values.jsonObject("attr") as JsonValue | undefined,
      artifacts,
      derivedFrom: await readSources(context, "from"),
      onInvalidate: values.texts("on-invalidate"),
    };
    const id = values.text("id") ?? newRecordId(kind);
    await writeOne(
      context,
      created(id, document, { occurredAt: values.text("occurred-at") }),
      "created",
    );
    return undefined;
  },
});
