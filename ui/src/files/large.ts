/**
 * A large file goes up in parts, a few at a time (Box's upload sessions). The server keeps what has arrived for days: whoever
 * was cut off, by a network, a server or a reload, chooses the same file again and goes on where it stopped.
 */

import { ask, read, Refused, Unreached } from "../lib/box";
import { send } from "./sending";

/** Smaller ones go up in one request, larger ones in parts, in bytes. */
export const LARGE = 32 * 1024 * 1024;
/** Parts at once. */
const AT_ONCE = 3;
/** Tries of a part: a server may be away for some minutes. */
const TRIES = 10;
const PAUSE_MAX_MS = 30_000;
const PAGE = 1_000;
const STORED = "entente.uploads";
const STORED_MAX = 200;

export interface Large {
  file: File;
  name: string;
  folder: string;
  /** The file that gets a new version. */
  version: string | undefined;
  signal: AbortSignal;
  /** How many bytes are there or on their way. */
  onProgress: (bytes: number) => void;
}

interface Session {
  id: string;
  part_size: number;
}

/** A session, and the parts that are there. */
interface Begun {
  session: Session;
  parts: Part[];
}

interface Part {
  part_id: string;
  offset: number;
  size: number;
}

export async function sendLarge(large: Large): Promise<void> {
  const { file, signal } = large;
  const key = JSON.stringify([large.folder, large.version ?? "", large.name, file.size, file.lastModified]);
  const before = await resumed(key, signal);
  if (before) {
    try {
      return await goOn(large, key, before);
    } catch (error) {
      // It has ended meanwhile: it was too old, or another page has finished it.
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      store((stored) => delete stored[key]);
    }
  }
  await goOn(large, key, { session: await begin(large, key), parts: [] });
}

async function goOn({ file, signal, onProgress: tell }: Large, key: string, { session, parts }: Begun): Promise<void> {
  const digest = digestOf(file, signal);
  // It is waited for at the end; what goes wrong meanwhile is told then.
  digest.catch(() => undefined);
  const there = new Set(parts.map(({ offset }) => offset));
  const missing = Array.from({ length: Math.ceil(file.size / session.part_size) }, (_, one) => one * session.part_size);
  const left = missing.filter((offset) => !there.has(offset));
  const sent = new Map<number, number>(parts.map(({ offset, size }) => [offset, size]));
  const told = () => tell([...sent.values()].reduce((sum, bytes) => sum + bytes, 0));
  told();
  const stop = new AbortController();
  const work = async () => {
    for (let offset = left.shift(); offset !== undefined; offset = left.shift()) {
      const from = offset;
      const onProgress = (bytes: number) => {
        sent.set(from, bytes);
        told();
      };
      const both = AbortSignal.any([signal, stop.signal]);
      parts.push(await sendPart(session, file, from, { signal: both, onProgress }));
      onProgress(Math.min(session.part_size, file.size - from));
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  parts.sort((one, other) => one.offset - other.offset);
  const attributes = { content_modified_at: new Date(file.lastModified).toISOString().replace(/\.\d+Z$/, "Z") };
  await ask("POST", `/upload/2.0/files/upload_sessions/${session.id}/commit?fields=id`, {
    json: { parts, attributes },
    headers: { digest: `sha=${await digest}` },
    signal,
  });
  store((stored) => delete stored[key]);
}

/** What a file's upload has come to, if it was begun here and the server still knows it. */
async function resumed(key: string, signal: AbortSignal): Promise<Begun | undefined> {
  const id = stored()[key];
  if (!id) return undefined;
  try {
    const session = await read<Session>(`/upload/2.0/files/upload_sessions/${id}`, signal);
    const parts: Part[] = [];
    for (let total = 1; parts.length < total;) {
      const path = `/upload/2.0/files/upload_sessions/${id}/parts?limit=${PAGE}&offset=${parts.length}`;
      const page = await read<{ entries: Part[]; total_count: number }>(path, signal);
      total = page.entries.length ? page.total_count : 0;
      parts.push(...page.entries);
    }
    return { session, parts };
  } catch (error) {
    if (!(error instanceof Refused) || ![404, 410].includes(error.status)) throw error;
    store((stored) => delete stored[key]);
    return undefined;
  }
}

async function begin({ file, name, folder, version, signal }: Large, key: string): Promise<Session> {
  const path = version ? `/upload/2.0/files/${version}/upload_sessions` : "/upload/2.0/files/upload_sessions";
  const json = version ? { file_size: file.size } : { file_size: file.size, file_name: name, folder_id: folder };
  const session = (await (await ask("POST", path, { json, signal })).json()) as Session;
  store((stored) => (stored[key] = session.id));
  return session;
}

async function sendPart(
  session: Session,
  file: File,
  offset: number,
  how: { signal: AbortSignal; onProgress: (bytes: number) => void },
): Promise<Part> {
  const end = Math.min(offset + session.part_size, file.size);
  const body = file.slice(offset, end);
  const digest = base64(new Uint8Array(await crypto.subtle.digest("SHA-1", await body.arrayBuffer())));
  const headers = {
    digest: `sha=${digest}`,
    "content-range": `bytes ${offset}-${end - 1}/${file.size}`,
    "content-type": "application/octet-stream",
  };
  const path = `/upload/2.0/files/upload_sessions/${session.id}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return ((await (await send({ method: "PUT", path, headers, body, ...how })).json()) as { part: Part }).part;
    } catch (error) {
      how.signal.throwIfAborted();
      const mayPass =
        error instanceof Unreached || (error instanceof Refused && (error.status === 429 || error.status >= 500));
      if (!mayPass || attempt >= TRIES) throw error;
      how.onProgress(0);
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** attempt, PAUSE_MAX_MS)));
      how.signal.throwIfAborted();
    }
  }
}

function digestOf(file: File, signal: AbortSignal): Promise<string> {
  const worker = new Worker(new URL("./hashing.worker.ts", import.meta.url), { type: "module" });
  return new Promise<string>((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    worker.onmessage = ({ data }: MessageEvent<Uint8Array | string>) =>
      typeof data === "string" ? reject(new Error(data)) : resolve(base64(data));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(file);
  }).finally(() => worker.terminate());
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** Sessions by what goes up in them. */
function stored(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

function store(change: (stored: Record<string, string>) => void): void {
  const all = stored();
  change(all);
  const entries = Object.entries(all).slice(-STORED_MAX);
  localStorage.setItem(STORED, JSON.stringify(Object.fromEntries(entries)));
}
