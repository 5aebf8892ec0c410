/** The imports of a source file, as its text names them. */

/** One import or re-export. */
export interface Import {
  readonly specifier: string;
  /** Gone at run time. */
  readonly isTypeOnly: boolean;
}

/** Static imports, re-exports and `import()` with a literal. */
export function importsOf(source: string): Import[] {
  const statics = source.matchAll(/^(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"/gm);
  const sideEffects = source.matchAll(/^import\s+"([^"]+)"/gm);
  const dynamics = source.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g);
  return [
    ...[...statics].map((match) => ({
      specifier: match[2] ?? "",
      isTypeOnly: match[1] !== undefined,
    })),
    ...[...sideEffects, ...dynamics].map((match) => ({
      specifier: match[1] ?? "",
      isTypeOnly: false,
    })),
  ];
}
