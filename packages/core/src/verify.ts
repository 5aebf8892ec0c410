/** Checks a whole store: what it holds is what was committed, and what it answers from is what the log says. */
import type { EmbeddedLog } from "./log/embedded-log.ts";
import type { VerifyProblem, VerifyReport } from "./verify/report.ts";
import { StorageVerification, type VerifyOptions } from "./verify/verify-storage.ts";

export type { StorePart, VerifyProblem, VerifyProgress, VerifyReport } from "./verify/report.ts";
export type { VerifyOptions } from "./verify/verify-storage.ts";

/**
 * Checks every key of a log's storage up to the head.
 *
 * @throws `aborted`, `format-too-new`, `store-closed`
 */
export async function verifyLog(
  log: EmbeddedLog,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const report = await new StorageVerification(log.storage, log.acknowledgedBefore).run(options);
  const { damage } = log;
  if (damage?.category !== "corrupt") return report;
  const isSideFile = damage.details["part"] === "acknowledged";
  if (!report.ok && !isSideFile) return report;
  // What opening found lies outside of what can be read here.
  const { code, message } = damage;
  const problem: VerifyProblem = isSideFile
    ? { position: 0, part: "acknowledged", code, message }
    : { position: report.head + 1, part: "entry", code, message };
  const problems = [problem, ...report.problems];
  return { ...report, ok: false, problemCount: report.problemCount + 1, problems };
}
