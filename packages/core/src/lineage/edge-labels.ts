/** What is written on edges and nodes, as numbers: kinds, and pairs of a role and a relation. */
import { must } from "../assert.ts";
import { defaultRelation, type Relation } from "../event/document.ts";

/** Texts and their numbers, 0, 1, 2 in the order of coming. */
export class TextTable {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  get texts(): readonly string[] {
    return this.#texts;
  }

  /** The number of a text, which gets one if it has none. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.length;
    this.#texts.push(text);
    this.#numbers.set(text, number);
    return number;
  }

  at(number: number): string {
    return must(this.#texts[number], "a number stands for a text");
  }
}

/** How one version derives from another. */
export interface EdgeLabel {
  readonly role: string | null;
  readonly relation: Relation;
}

/** Labels of edges and their numbers. 0 is the plainest: no role, and the default relation. */
export class LabelTable {
  readonly #labels: EdgeLabel[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    this.numberOf(null, defaultRelation);
  }

  get labels(): readonly EdgeLabel[] {
    return this.#labels;
  }

  numberOf(role: string | null, relation: Relation): number {
    const key = role === null ? relation : `${relation} ${role}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#labels.length;
    this.#labels.push({ role, relation });
    this.#numbers.set(key, number);
    return number;
  }

  at(number: number): EdgeLabel {
    return must(this.#labels[number], "a number stands for a label");
  }
}
