/** The help texts: the overview and one page per command. */
import { usableGlobalFlags, type Command, type Flag } from "./command.ts";
import { program } from "./program.ts";

/** What `sennit` and `sennit help` print. */
export function overview(version: string): string {
  const names = Object.keys(program);
  const nameWidth = Math.max(...names.map((name) => name.length));
  const groups = [...new Set(Object.values(program).map(({ group }) => group))];
  const sections = groups.map((group) => {
    const rows = names
      .filter((name) => program[name]?.group === group)
      .map((name) => `  ${name.padEnd(nameWidth)}  ${program[name]?.summary ?? ""}`);
    return [group, ...rows].join("\n");
  });
  return [
    `sennit ${version}: provenance you can replay`,
    "Usage: sennit COMMAND [ARGUMENTS] [FLAGS]",
    ...sections,
    "Every read takes --as-of POSITION|TIME|LABEL; every command takes --json.\nHelp on one command: sennit help COMMAND",
    "Examples\n  sennit demo\n  sennit show model/braggnn --as-of 2026-03-02T10:00:00Z",
  ].join("\n\n");
}

/** What `sennit help COMMAND` prints. */
export function commandHelp(command: Command): string {
  const words = command.arguments.map(({ name, optional, rest }) => {
    const word = rest === true ? `${name}...` : name;
    return optional === true ? `[${word}]` : word;
  });
  const sections = [
    `sennit ${command.name}: ${command.summary}`,
    `Usage: ${["sennit", command.name, ...words, "[FLAGS]"].join(" ")}`,
  ];
  if (command.arguments.length > 0) {
    sections.push(
      block(
        "Arguments",
        command.arguments.map(({ name, help }) => [name, help]),
      ),
    );
  }
  if (command.flags.length > 0) sections.push(block("Flags", command.flags.map(flagRow)));
  sections.push(block("Global flags", usableGlobalFlags(command).map(flagRow)));
  sections.push(["Examples", ...command.examples.map((example) => `  ${example}`)].join("\n"));
  return sections.join("\n\n");
}

function flagRow({ name, value, help, multiple }: Flag): [string, string] {
  const several = multiple === true ? " (may be repeated)" : "";
  return [value === undefined ? `--${name}` : `--${name} ${value}`, help + several];
}

/** Columns of a help text. */
const widthMax = 100;

function block(title: string, rows: readonly (readonly [string, string])[]): string {
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const indent = " ".repeat(nameWidth + 4);
  const lines = rows.map(([name, help]) => {
    const [first = "", ...more] = wrapped(help, widthMax - indent.length);
    return [`  ${name.padEnd(nameWidth)}  ${first}`, ...more.map((line) => indent + line)];
  });
  return [title, ...lines.flat()].join("\n");
}

/** The text in lines of at most so many characters, where its words are no longer. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
