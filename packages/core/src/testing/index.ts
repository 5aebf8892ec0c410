/** What implementers of a port and writers of tests need: contracts, an oracle, generators, a clock. */
export { EventPlanner, histories, type EventDraft, type HistoryStep } from "./arbitraries.ts";
export { appendToBoth, compareAt, type ComparedStore } from "./compare.ts";
export { eventually } from "./eventually.ts";
export { FakeClock } from "./fake-clock.ts";
export { filesHolding } from "./files-holding.ts";
export { FaultStorage, type WriteFate } from "./fault-storage.ts";
export { runLogContract, type LogUnderTest, type OpenedLog } from "./log-contract.ts";
export { Oracle, type OracleAppended, type OracleOutcome } from "./oracle.ts";
export { OracleReader, type OracleLineage, type OracleReplay } from "./oracle-reader.ts";
export { propertySettings } from "./settings.ts";
export { codeOf, runStorageContract, type OpenedStorage } from "./storage-contract.ts";
export { withTemporaryDirectory } from "./temporary-directory.ts";
