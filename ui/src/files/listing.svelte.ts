/**
 * What a folder contains, as far as somebody has looked at it: pages are fetched where the reader is, so that a folder of a
 * million items is opened as fast as one of ten.
 */

import type { Direction, Item, Page, Sort } from "../lib/box";

/** Items of a page. */
const PAGE = 500;

/** Fetches one page of something. */
export type Fetch = (
  sort: Sort,
  direction: Direction,
  offset: number,
  limit: number,
  signal: AbortSignal,
) => Promise<Page>;

export class Listing {
  sort = $state<Sort>("name");
  direction = $state<Direction>("ASC");
  /** How many there are; `undefined` before the first page has come. */
  total = $state<number>();
  error = $state<unknown>();

  /** Told by `revision`, as a proxy of a million items would cost more than they do. */
  #items: Item[] = [];
  #revision = $state(0);
  #pages = new Map<number, "asked" | "here">();
  #stop = new AbortController();
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** The item at a place, if it has been fetched. */
  at(place: number): Item | undefined {
    void this.#revision;
    return this.#items[place];
  }

  /** Those that have been fetched. */
  known(): Item[] {
    void this.#revision;
    return this.#items.filter(Boolean);
  }

  /** Sees to it that the items from one place to before another come. */
  need(from: number, to: number): void {
    for (let page = Math.floor(Math.max(0, from) / PAGE); page * PAGE < Math.max(1, to); page += 1) {
      if (!this.#pages.has(page)) void this.#load(page);
    }
  }

  order(sort: Sort): void {
    this.direction = this.sort === sort && this.direction === "ASC" ? "DESC" : "ASC";
    this.sort = sort;
    this.#items = [];
    this.#revision += 1;
    this.refresh(0, PAGE);
  }

  /** Fetches anew what stands from one place to before another; until that is here, what was there is shown. */
  refresh(from: number, to: number): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#pages.clear();
    this.need(from, to);
  }

  /** Shows an item as it is now, where it was. */
  replace(item: Item): void {
    const place = this.#items.findIndex((one) => one?.id === item.id && one.type === item.type);
    if (place < 0) return;
    this.#items[place] = item;
    this.#revision += 1;
  }

  close(): void {
    this.#stop.abort();
  }

  async #load(page: number): Promise<void> {
    const { signal } = this.#stop;
    this.#pages.set(page, "asked");
    try {
      const { entries, total_count } = await this.#fetch(this.sort, this.direction, page * PAGE, PAGE, signal);
      if (signal.aborted) return;
      entries.forEach((item, place) => (this.#items[page * PAGE + place] = item));
      if (this.#items.length > total_count) this.#items.length = total_count;
      this.#pages.set(page, "here");
      this.total = total_count;
      this.error = undefined;
      this.#revision += 1;
    } catch (error) {
      if (signal.aborted) return;
      this.#pages.delete(page);
      this.error = error;
    }
  }
}
