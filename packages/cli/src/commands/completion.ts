/** `sennit completion`: prints a shell completion script. */
import { StoreError } from "@sennit/core";

import { defineCommand, globalFlags, usableGlobalFlags } from "../command.ts";
import { program } from "../program.ts";

const shells = ["bash", "zsh", "fish"];

export const command = defineCommand({
  name: "completion",
  summary: "print a shell completion script",
  arguments: [{ name: "SHELL", help: "bash, zsh or fish" }],
  flags: [],
  examples: [
    'eval "$(sennit completion bash)"',
    "sennit completion fish > ~/.config/fish/completions/sennit.fish",
  ],
  presentOnly: true,
  async run({ values, out }) {
    const shell = values.argument(0);
    if (!shells.includes(shell)) {
      throw new StoreError("argument-invalid", `SHELL must be one of ${shells.join(", ")}.`, {
        details: { argument: "SHELL", value: shell },
      });
    }
    const flags = await flagsByCommand();
    const script = scriptFor(shell, flags);
    if (out.isJson) out.json({ shell, script });
    else out.line(script);
    return undefined;
  },
});

function scriptFor(shell: string, flags: FlagsByCommand): string {
  if (shell === "fish") return fishScript(flags);
  const bash = bashScript(flags);
  return shell === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${bash}` : bash;
}

type FlagsByCommand = ReadonlyMap<string, readonly string[]>;

async function flagsByCommand(): Promise<FlagsByCommand> {
  const rows = Object.entries(program).map(async ([name, { load }]) => {
    const loaded = (await load()).command;
    const flags = [...loaded.flags, ...usableGlobalFlags(loaded)];
    return [name, flags.map((flag) => `--${flag.name}`)] as const;
  });
  return new Map(await Promise.all(rows));
}

function bashScript(flags: FlagsByCommand): string {
  const names = [...flags.keys(), "help"].join(" ");
  const cases = [...flags].map(([name, words]) => `    ${name}) words="${words.join(" ")}" ;;`);
  const valued = globalFlags.filter(({ type }) => type === "string").map(({ name }) => `--${name}`);
  return [
    "_sennit() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" words="" command="" at=1',
    // The shell parts --flag=value into three words.
    '  while [ -z "$command" ] && [ "$at" -lt "$COMP_CWORD" ]; do',
    '    case "${COMP_WORDS[at]}" in',
    `      ${valued.join("|")}) if [ "\${COMP_WORDS[at+1]}" = "=" ]; then at=$((at + 3)); else at=$((at + 2)); fi ;;`,
    "      -*) at=$((at + 1)) ;;",
    '      *) command="${COMP_WORDS[at]}" ;;',
    "    esac",
    "  done",
    '  case "$command" in',
    ...cases,
    `    help) words="${names}" ;;`,
    `    "") if [ "$at" -eq "$COMP_CWORD" ]; then words="${names}"; fi ;;`,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ ${#COMPREPLY[@]} -eq 0 ] && [ "$COMP_CWORD" -gt 1 ]; then COMPREPLY=($(compgen -f -- "$current")); fi',
    "}",
    "complete -F _sennit sennit",
  ].join("\n");
}

function fishScript(flags: FlagsByCommand): string {
  const commands = Object.entries(program).map(
    ([name, { summary }]) =>
      `complete -c sennit -n __fish_use_subcommand -a ${name} -d "${summary}"`,
  );
  const options = [...flags].flatMap(([name, words]) =>
    words.map(
      (word) => `complete -c sennit -n "__fish_seen_subcommand_from ${name}" -l ${word.slice(2)}`,
    ),
  );
  return [...commands, ...options].join("\n");
}
