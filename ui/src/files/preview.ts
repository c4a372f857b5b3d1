/** How a file is shown, and where what is shown comes from. */

import { ask, pathOf, read, Refused, type Item } from "../lib/box";
import { contentUrl } from "./acts";

/** What is read of a text, in bytes. */
const TEXT_BYTES = 512 * 1024;
const PICTURES = "[png?dimensions=2048x2048&paged=true]";
const TRIES = 40;

export type Way = "image" | "video" | "audio" | "text" | "pages";

/** By the name's end; what is none of these may still be a document of which the server makes pictures. */
const WAYS: Record<string, Way> = Object.fromEntries(
  (
    [
      ["image", "png jpg jpeg gif webp avif bmp svg ico"],
      ["video", "mp4 m4v webm mov ogv"],
      ["audio", "mp3 m4a ogg oga wav flac opus aac"],
      [
        "text",
        "txt md markdown csv tsv json xml yaml yml toml ini log sh py rs js ts css html c h cpp java go sql tex",
      ],
    ] as const
  ).flatMap(([way, endings]) => endings.split(" ").map((ending) => [ending, way])),
);

export const wayOf = (file: Item): Way => WAYS[file.name.split(".").at(-1)?.toLowerCase() ?? ""] ?? "pages";

/** Where a browser gets an image, a film or a sound from, piece by piece if it likes. */
export const urlOf = contentUrl;

export interface Text {
  text: string;
  /** There is more than is shown. */
  isCut: boolean;
}

export async function textOf(file: Item, signal: AbortSignal): Promise<Text> {
  if (!file.size) return { text: "", isCut: false };
  const range = `bytes=0-${TEXT_BYTES - 1}`;
  const answer = await ask("GET", `${pathOf(file)}/content`, { headers: { range }, signal });
  const bytes = await answer.arrayBuffer();
  return { text: new TextDecoder().decode(bytes), isCut: bytes.byteLength < file.size };
}

/** Pictures of a document's pages, from the first on. `undefined` after the last, and of what has none. */
export async function pictureOf(file: Item, page: number, signal: AbortSignal): Promise<Blob | undefined> {
  const path = `${pathOf(file)}?fields=representations`;
  const asked = await ask("GET", path, { headers: { "x-rep-hints": PICTURES }, signal });
  const { representations } = (await asked.json()) as {
    representations: { entries: { info: { url: string }; content: { url_template: string } }[] };
  };
  const [entry] = representations.entries;
  if (!entry) return undefined;
  const url = below(entry.content.url_template.replace("{+asset_path}", `${page}.png`));
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { status } = await read<{ status: { state: string } }>(below(entry.info.url), signal);
    if (status.state === "error") return undefined;
    try {
      const answer = await ask("GET", url, { signal });
      if (answer.status === 200) return await answer.blob();
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    signal.throwIfAborted();
  }
  return undefined;
}

/** The server tells whole addresses; what is asked for is a path of the Box door. */
function below(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname.replace(/^\/box/, "") + search;
}
