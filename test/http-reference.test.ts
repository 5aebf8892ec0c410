/** The HTTP reference is true: its tables are made from the routes that the server has. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { codeIn, sectionOf, tablesOf } from "./support/markdown.ts";
import { readText, repositoryRoot } from "./support/repository.ts";
import { problemStatuses, problemTitles } from "../packages/server/src/document/statuses.ts";
import { formTypes } from "../packages/server/src/forms/negotiate.ts";
import type { Route } from "../packages/server/src/route.ts";
import { allRoutes } from "../packages/server/src/routes/index.ts";
import { namedShapes } from "../packages/server/src/schemas/named-shapes.ts";

const page = "docs/reference/http.md";
/** With this variable set, what is declared is written into the page instead of being compared. */
const isUpdating = process.env["SENNIT_UPDATE_DOCS"] === "1";

const shapeNames = new Map<unknown, string>(
  Object.entries(namedShapes).map(([name, shape]) => [shape, name]),
);

interface Part {
  readonly properties: Readonly<Record<string, { readonly type?: string }>>;
  readonly patternProperties?: object;
  readonly required?: readonly string[];
}

function parametersOf({ shape }: Route): string {
  const {
    properties,
    patternProperties,
    required = [],
  } = (shape.query ?? {
    properties: {},
  }) as unknown as Part;
  const named = Object.entries(properties).map(([name, { type }]) => {
    const repeated = type === "array" ? "…" : "";
    return `\`${name}\`${repeated}${required.includes(name) ? " (needed)" : ""}`;
  });
  return [...named, ...(patternProperties === undefined ? [] : ["`tag.KEY`"])].join(", ");
}

/** The shape of an answer by its name, several where there are. */
function shapeOf(schema: unknown): string {
  const name = shapeNames.get(schema);
  if (name !== undefined) return `\`${name}\``;
  const { anyOf = [] } = (schema ?? {}) as { readonly anyOf?: readonly unknown[] };
  return anyOf
    .map(shapeOf)
    .filter((text) => text !== "")
    .join(" or ");
}

function answersOf({ answers }: Route): string {
  return Object.entries(answers)
    .map(([status, { description, schema, contentTypes }]) => {
      const shape =
        contentTypes === undefined
          ? shapeOf(schema)
          : contentTypes.map((type) => `\`${type}\``).join(", ");
      return `${status} ${shape === "" ? description : shape}`;
    })
    .join("; ");
}

/** The members of a body where it is one object; otherwise its types. */
function bodyOf({ shape, bodyTypes = formTypes.json }: Route): string {
  if (shape.body === undefined) return "";
  const { properties, required = [] } = shape.body as Partial<Part>;
  if (properties === undefined) return bodyTypes.map((type) => `\`${type}\``).join(", ");
  const members = Object.keys(properties).map((name) =>
    required.includes(name) ? name : `${name}?`,
  );
  return `\`{${members.join(", ")}}\``;
}

const plain = { method: "GET", scope: "read", problems: [], answers: {}, shape: {} } as const;
const common = new Set(problemStatuses(plain));

function routeTable(tag: string): string[][] {
  const rows = allRoutes
    .filter((route) => route.tag === tag)
    .map((route) => [
      `\`${route.method} ${route.url.replaceAll(/:(\w+)/g, (_, name: string) => name.toUpperCase())}\``,
      route.summary,
      route.scope === "none" ? "" : `\`${route.scope}\``,
      parametersOf(route),
      bodyOf(route),
      answersOf(route),
      problemStatuses(route)
        .filter((status) => !common.has(status))
        .join(", "),
    ]);
  return [["Route", "Does", "Scope", "Parameters", "Body", "Answer", "Problems"], ...rows];
}

function columnsTable(): string[][] {
  const rows = allRoutes.flatMap(({ url, rows: list }) =>
    list === undefined
      ? []
      : [
          [
            `\`${url.replaceAll(/:(\w+)/g, (_, name: string) => name.toUpperCase())}\``,
            list.member === undefined ? "" : `\`${list.member}\``,
            list.columns.map((column) => `\`${column}\``).join(", "),
          ],
        ],
  );
  return [["Route", "List", "Columns"], ...rows];
}

function statusTable(): string[][] {
  const rows = Object.entries(problemTitles).map(([status, title]) => [status, `${title}.`]);
  return [["Status", "Says"], ...rows];
}

const tags = [...new Set(allRoutes.map(({ tag }) => tag))];
const tables: readonly (readonly [title: string, table: string[][]])[] = [
  ...tags.map((tag) => [`Routes: ${tag}`, routeTable(tag)] as const),
  ["Lists", columnsTable()],
  ["Statuses of problems", statusTable()],
];

/** The page with a table in the place of the one of a section; the section is added where it is missing. */
function withTable(text: string, title: string, table: readonly string[][]): string {
  const [head = [], ...rows] = table;
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  if (!text.includes(`## ${title}\n`))
    return `${text.trimEnd()}\n\n## ${title}\n\n${lines.join("\n")}\n`;
  const { text: section } = sectionOf(text, title);
  const kept = section.split("\n").filter((line) => !line.startsWith("|"));
  return text.replace(section, () =>
    `${kept.join("\n").trimEnd()}\n\n${lines.join("\n")}\n`.replace(/^\n*/, "\n"),
  );
}

if (isUpdating) {
  let text = readText(page);
  for (const [title, table] of tables) text = withTable(text, title, table);
  writeFileSync(join(repositoryRoot, page), text);
}

test.each(tables)(
  "the table of %s is what the routes declare",
  (title, [columns = [], ...rows]) => {
    const [table] = tablesOf(sectionOf(readText(page), title).text);
    expect(table?.columns).toEqual(columns);
    expect(table?.rows.map((row) => columns.map((column) => row[column] ?? ""))).toEqual(rows);
  },
);

test("no section tells of routes that there are none of", () => {
  const titles = [...readText(page).matchAll(/^## (Routes: .*)$/gm)].map(([, title]) => title);
  expect(titles).toEqual(tags.map((tag) => `Routes: ${tag}`));
});

test("the forms named are the forms that are given", () => {
  const [table] = tablesOf(sectionOf(readText(page), "Forms").text);
  const documented = table?.rows.map((row) => codeIn(row["Accept"] ?? ""));
  expect(documented).toEqual(Object.values(formTypes).map(([type]) => type));
});
