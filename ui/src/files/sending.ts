/** Requests that carry much: they tell how far they are, which `fetch` does not. */

import { refusal, Unreached } from "../lib/box";
import { forget, token } from "../lib/session";

export interface Sent {
  method: "POST" | "PUT";
  path: string;
  headers?: Record<string, string>;
  body: Blob | FormData;
  /** Ends the request. */
  signal: AbortSignal;
  /** How many bytes have left. */
  onProgress: (bytes: number) => void;
}

/** Sends, with another token if this one has ended. Throws `Refused`, `Unreached`, or why `signal` ended it. */
export async function send(what: Sent): Promise<Response> {
  for (let isRenewed = false; ; isRenewed = true) {
    const bearer = await token();
    what.signal.throwIfAborted();
    const answer = await sendOnce(what, bearer);
    if (answer.ok) return answer;
    if (answer.status !== 401 || isRenewed) throw await refusal(answer);
    forget(bearer);
  }
}

function sendOnce({ method, path, headers, body, signal, onProgress }: Sent, bearer: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open(method, `/box${path}`);
    request.setRequestHeader("authorization", `Bearer ${bearer}`);
    for (const [name, value] of Object.entries(headers ?? {})) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => resolve(new Response(request.responseText || null, { status: request.status }));
    request.onerror = () => reject(new Unreached("the connection ended"));
    request.onabort = () => reject(signal.reason as Error);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.send(body);
  });
}
