/** The page that the `type` of a problem leads to: every code, when it has which status, and what to do. */
import { errorCodes, type ErrorCode } from "@sennit/core";

import { statusOf } from "../problem.ts";

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** HTML that needs nothing from elsewhere, not even a style. */
export function errorPageHtml(): string {
  const codes = Object.keys(errorCodes) as ErrorCode[];
  const rows = codes.toSorted().map((code) => {
    const { category, hint } = errorCodes[code];
    const status = statusOf({ code, category });
    const cells = [`<code>${code}</code>`, String(status), category, escaped(hint)];
    return `<tr id="${code}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Sennit: errors</title></head>
<body>
<h1>Errors</h1>
<p>The code of a problem is stable. The status follows from it.</p>
<table>
<thead><tr><th>Code</th><th>Status</th><th>Category</th><th>What to do</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? "");
}
