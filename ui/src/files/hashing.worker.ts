/** Computes the SHA-1 of a whole file beside the page: browsers do so only of what is in memory. */

import { sha1 } from "@noble/hashes/legacy.js";

const PIECE = 4 * 1024 * 1024;

addEventListener("message", ({ data }: MessageEvent<Blob>) => {
  void (async () => {
    try {
      const hash = sha1.create();
      for (let from = 0; from < data.size; from += PIECE) {
        hash.update(new Uint8Array(await data.slice(from, from + PIECE).arrayBuffer()));
      }
      postMessage(hash.digest());
    } catch (error) {
      postMessage(String(error));
    }
  })();
});
