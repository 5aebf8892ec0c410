/** Keeps the uids of a file and the record ids made of them unique. */
import { recordIdProblem, type RecordId } from "@sennit/core";

import type { BlueskyDocument } from "./documents.ts";
import { importInvalid } from "./import-invalid.ts";
import { textMember } from "./members.ts";

/** What a file has named so far. */
export class UidRegister {
  readonly #uids = new Set<string>();
  readonly #recordIds = new Set<RecordId>();

  /** Takes the member `uid` of a document and returns it. @throws `import-invalid` when it is missing or taken */
  takeUid(document: BlueskyDocument): string {
    const uid = textMember(document, "uid");
    this.take(document.name, uid, `${document.pointer}/uid`);
    return uid;
  }

  /** Takes a uid, which must be new among those of its kind. @throws `import-invalid` */
  take(kind: string, uid: string, pointer: string): void {
    const key = `${kind} ${uid}`;
    if (this.#uids.has(key)) {
      throw importInvalid({ pointer, message: `repeats the uid of an earlier ${kind}` });
    }
    this.#uids.add(key);
  }

  /** Takes the id of a record, which must be new and one the store can have. @throws `import-invalid` */
  takeRecordId(recordId: RecordId, pointer: string): void {
    const taken = this.#recordIds.has(recordId) ? "is that of another record" : undefined;
    const issue = recordIdProblem(recordId) ?? taken;
    if (issue !== undefined) {
      const message = `makes the record id ${JSON.stringify(recordId)}, which ${issue}`;
      throw importInvalid({ pointer, message });
    }
    this.#recordIds.add(recordId);
  }
}
