/** What sort of thing an item is to people, by its name. */

import type { Mini } from "../lib/box";

export type Kind = "folder" | "link" | "image" | "video" | "audio" | "text" | "file";

const ENDINGS: Record<string, Kind> = Object.fromEntries(
  (
    [
      ["image", "png jpg jpeg gif webp avif bmp svg heic tif tiff"],
      ["video", "mp4 m4v webm mov mkv avi"],
      ["audio", "mp3 m4a ogg oga wav flac opus aac"],
      ["text", "txt md pdf doc docx odt rtf xls xlsx ods csv ppt pptx odp json xml html"],
    ] as const
  ).flatMap(([kind, endings]) => endings.split(" ").map((ending) => [ending, kind])),
);

export function kindOf(item: Mini): Kind {
  if (item.type === "folder") return "folder";
  if (item.type === "web_link") return "link";
  return ENDINGS[item.name.split(".").at(-1)?.toLowerCase() ?? ""] ?? "file";
}
