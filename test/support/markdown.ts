/** Reads the parts of Markdown that tests compare with code: sections, fenced blocks, tables and links. */

/** A fenced block of code. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

/** A heading with the text below it, up to the next heading of any level. */
export interface Section {
  readonly level: number;
  readonly title: string;
  readonly text: string;
}

/** One table: the titles of its columns, and its rows by those titles. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
}

const fence = /^```(.*)$/;

/** Fenced blocks in order. @throws Error for a fence that is not closed */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { readonly language: string; readonly line: number; readonly lines: string[] } | null =
    null;
  for (const [index, line] of markdown.split("\n").entries()) {
    const match = fence.exec(line);
    if (match !== null && open === null) {
      open = { language: match[1] ?? "", line: index + 1, lines: [] };
    } else if (match !== null && open !== null) {
      blocks.push({ language: open.language, line: open.line, text: open.lines.join("\n") });
      open = null;
    } else {
      open?.lines.push(line);
    }
  }
  if (open !== null) throw new Error(`The block at line ${open.line} is not closed.`);
  return blocks;
}

/** The text with the content of its fenced blocks taken out. */
function withoutBlocks(markdown: string): string {
  let isOpen = false;
  const kept = markdown.split("\n").map((line) => {
    const isFence = fence.test(line);
    if (isFence) isOpen = !isOpen;
    return isOpen || isFence ? "" : line;
  });
  return kept.join("\n");
}

/** Sections in order. Headings inside fenced blocks are text. */
export function sectionsOf(markdown: string): Section[] {
  const prose = withoutBlocks(markdown).split("\n");
  const lines = markdown.split("\n");
  const starts = [...prose.keys()].filter((index) => /^#{1,6} /.test(prose[index] ?? ""));
  return starts.map((start, index) => {
    const [, marks = "", title = ""] = /^(#+) (.*)$/.exec(lines[start] ?? "") ?? [];
    const text = lines.slice(start + 1, starts[index + 1] ?? lines.length).join("\n");
    return { level: marks.length, title, text };
  });
}

/** The section with this title. @throws Error when there is none, or more than one */
export function sectionOf(markdown: string, title: string): Section {
  const found = sectionsOf(markdown).filter((section) => section.title === title);
  const [section] = found;
  if (section === undefined || found.length > 1) {
    throw new Error(`${found.length} sections are called "${title}".`);
  }
  return section;
}

/** Tables in order. */
export function tablesOf(markdown: string): Table[] {
  const tables: Table[] = [];
  let group: string[] = [];
  for (const line of [...withoutBlocks(markdown).split("\n"), ""]) {
    if (line.startsWith("|")) {
      group.push(line);
    } else if (group.length > 0) {
      tables.push(toTable(group));
      group = [];
    }
  }
  return tables;
}

function toTable([head = "", , ...body]: readonly string[]): Table {
  const columns = cellsOf(head);
  const rows = body.map((line) => {
    const cells = cellsOf(line);
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ""]));
  });
  return { columns, rows };
}

function cellsOf(line: string): string[] {
  const cells = line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** The text inside the first pair of backticks, or the text itself. */
export function codeIn(cell: string): string {
  return /`([^`]+)`/.exec(cell)?.[1] ?? cell;
}

/** Targets of links and images, without their anchors' text. */
export function linksOf(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replaceAll(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
}

/** The anchor a heading gets: lower case, white space as hyphens, other marks left out. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}
