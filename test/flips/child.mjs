// Opens the stores it is told of and asks each everything. It is a process of its own because LevelDB may end it.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

import { openStore } from "@sennit/core";
import { openViews } from "@sennit/projections";

import { questionsOf } from "./questions.mjs";

/** @returns the digest of every answer and the code of every refusal, by the name of the question */
async function ask(directory, head) {
  const answers = {};
  const refusals = {};
  const store = await openStore(directory, { create: false });
  try {
    const views = await openViews(store);
    try {
      for (const [name, question] of questionsOf(store, views, head ?? store.head)) {
        try {
          answers[name] = digest(await question());
        } catch (error) {
          refusals[name] = refusalOf(error);
        }
      }
    } finally {
      await views.close();
    }
    return { head: store.head, damage: store.damage?.code, answers, refusals };
  } finally {
    await store.close();
  }
}

function digest(answer) {
  return createHash("sha256").update(JSON.stringify(answer)).digest("base64").slice(0, 16);
}

function refusalOf(error) {
  const { code = "none", category = "none" } = error ?? {};
  return { code, category, message: String(error?.stack ?? error) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { directory, head } = JSON.parse(line);
  const result = await ask(directory, head).catch((error) => ({ refused: refusalOf(error) }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
