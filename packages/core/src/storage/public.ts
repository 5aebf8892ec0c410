/** The parts that a package keeping its own bytes shares with the core: the storage port, entries, frames, MessagePack, files and locks. */
export { crc32c } from "../codec/crc32c.ts";
export { frame, frameHeaderBytes, unframe } from "../codec/frame.ts";
export { Entry } from "../codec/entry.ts";
export { decodeFoldedEvent, type EntryBytes } from "../codec/folded-event.ts";
export { decodeMessagePack, encodeMessagePack } from "../codec/msgpack.ts";
export { takeLock, type LockHolder } from "../lock-file.ts";
export { openLevelStorage, type LevelStorageOptions } from "./level-storage.ts";
export { openMemoryStorage } from "./memory-storage.ts";
export type { KeyRange, Storage, StorageEntry, WriteBatch } from "./storage.ts";
export { writeWhole } from "../store-directory.ts";
