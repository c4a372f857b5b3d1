/** Which items are selected, and where the reader is among them. */

import { SvelteMap } from "svelte/reactivity";
import type { Item, Mini } from "../lib/box";

export const keyOf = (item: Mini): string => `${item.type}:${item.id}`;

export class Selection {
  readonly #items = new SvelteMap<string, Item>();
  /** The row that has the keyboard. */
  cursor = $state(0);
  /** Where a range begins. */
  #anchor = 0;

  get size(): number {
    return this.#items.size;
  }

  has(item: Mini): boolean {
    return this.#items.has(keyOf(item));
  }

  items(): Item[] {
    return [...this.#items.values()];
  }

  clear(): void {
    this.#items.clear();
  }

  only(item: Item, place: number): void {
    this.#items.clear();
    this.#items.set(keyOf(item), item);
    this.cursor = this.#anchor = place;
  }

  toggle(item: Item, place: number): void {
    if (!this.#items.delete(keyOf(item))) this.#items.set(keyOf(item), item);
    this.cursor = this.#anchor = place;
  }

  /** From where the range began to a place, as far as the items between are known. */
  extend(place: number, at: (place: number) => Item | undefined): void {
    this.#items.clear();
    this.cursor = place;
    for (let one = Math.min(this.#anchor, place); one <= Math.max(this.#anchor, place); one += 1) {
      const item = at(one);
      if (item) this.#items.set(keyOf(item), item);
    }
  }

  all(items: Item[]): void {
    for (const item of items) this.#items.set(keyOf(item), item);
  }
}
