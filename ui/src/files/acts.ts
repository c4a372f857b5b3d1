/** What people do with several items at once, and how they are told of it. */

import { archive, ask, pathOf, remove, removeForGood, restore, type Item, type Mini } from "../lib/box";
import { counted } from "../lib/messages.svelte";
import { complain, say } from "../lib/notices.svelte";
import { reason } from "../lib/reasons";

/** Requests at once. */
const AT_ONCE = 4;

/** Does the same with each, a few at a time; answers those with which it worked. What did not is told, by its reasons. */
async function each(items: Item[], act: (item: Item) => Promise<void>): Promise<Item[]> {
  const left = [...items];
  const done: Item[] = [];
  const failed = new Map<string, number>();
  const work = async () => {
    for (let item = left.shift(); item; item = left.shift()) {
      try {
        await act(item);
        done.push(item);
      } catch (error) {
        const why = reason(error);
        failed.set(why, (failed.get(why) ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const [why, count] of failed) complain(counted("someFailed", count, { reason: why }));
  return done;
}

const named = (items: Item[]) => ({ name: items[0]?.name ?? "" });

/** Into the trash, and back if the reader thinks better of it. */
export async function trashAll(items: Item[], changed: () => void): Promise<void> {
  const done = await each(items, remove);
  changed();
  if (done.length) say(counted("trashed", done.length, named(done)), () => void restoreAll(done, changed));
}

export async function restoreAll(items: Item[], changed: () => void): Promise<void> {
  const done = await each(items, restore);
  changed();
  if (done.length) say(counted("restored", done.length, named(done)));
}

export async function removeAll(items: Item[], changed: () => void): Promise<void> {
  const done = await each(items, removeForGood);
  changed();
  if (done.length) say(counted("deleted", done.length, named(done)));
}

/** One file as it is, anything else in an archive. */
export async function download(items: Item[], folder: string): Promise<void> {
  try {
    const [item] = items;
    if (!item) return;
    const url = items.length === 1 && item.type === "file" ? await contentUrl(item) : await archive(items, folder);
    const link = document.createElement("a");
    link.href = url;
    link.download = "";
    link.click();
  } catch (error) {
    complain(reason(error));
  }
}

/** Where a file's content is for a while, without further proof of who asks: what the door sends its clients to. */
export async function contentUrl(file: Mini): Promise<string> {
  const answer = await ask("GET", `${pathOf(file)}/content`, { headers: { range: "bytes=0-0" } });
  await answer.body?.cancel();
  return answer.url;
}
