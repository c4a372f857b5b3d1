/** The Box door, as the page asks it. */

import { forget, token } from "./session";

/** How often a request is sent that the server is too busy for, or that did not get there. */
const TRIES = 5;

export type Kind = "file" | "folder" | "web_link";

export interface Mini {
  type: Kind;
  id: string;
  name: string;
}

export interface Item extends Mini {
  etag: string | null;
  size?: number;
  modified_at?: string | null;
  item_status?: string;
  url?: string;
}

export interface Folder extends Item {
  path_collection: { entries: Mini[] };
  item_collection: { total_count: number };
}

export interface User {
  id: string;
  name: string;
  login: string;
  role?: "admin" | "coadmin" | "user";
  space_amount: number;
  space_used: number;
}

/** The server's answer was no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** Box's word for it. */
    readonly code: string,
    message: string,
    readonly context: unknown,
  ) {
    super(message);
  }
}

/** The server was not reached. */
export class Unreached extends Error {}

export interface Ask {
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Asks, again if the server says so, and with another token if this one has ended. */
export async function ask(method: string, path: string, what: Ask = {}): Promise<Response> {
  let renewed = false;
  for (let attempt = 1; ; attempt += 1) {
    const bearer = await token();
    const headers: Record<string, string> = { authorization: `Bearer ${bearer}`, ...what.headers };
    if (what.json !== undefined) headers["content-type"] = "application/json";
    const body = what.json === undefined ? what.body : JSON.stringify(what.json);
    let answer: Response;
    try {
      answer = await fetch(`/box${path}`, { method, headers, body: body ?? null, signal: what.signal ?? null });
    } catch (error) {
      if (what.signal?.aborted) throw error;
      // What may have been done already is not done a second time.
      if (method !== "GET" || attempt >= TRIES) throw new Unreached(String(error), { cause: error });
      await pause(attempt, undefined, what.signal);
      continue;
    }
    if (answer.ok) return answer;
    if (answer.status === 401 && !renewed) {
      forget(bearer);
      renewed = true;
      continue;
    }
    if ((answer.status === 429 || answer.status === 503) && attempt < TRIES) {
      await pause(attempt, answer.headers.get("retry-after"), what.signal);
      continue;
    }
    throw await refusal(answer);
  }
}

export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask("GET", path, signal ? { signal } : {})).json() as Promise<T>;
}

export async function refusal(answer: Response): Promise<Refused> {
  const said = (await answer.json().catch(() => ({}))) as { code?: string; message?: string; context_info?: unknown };
  return new Refused(answer.status, said.code ?? "", said.message ?? answer.statusText, said.context_info);
}

function pause(attempt: number, after: string | null | undefined, signal?: AbortSignal): Promise<void> {
  const seconds = after ? Math.min(Number(after) || 1, 30) : Math.min(0.3 * 2 ** attempt, 10);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000 * (0.8 + 0.4 * Math.random()));
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** Where an item stands among those of its kind. */
export const pathOf = (item: Mini): string => `/2.0/${item.type}s/${item.id}`;

const FIELDS = "type,id,etag,name,size,modified_at,url";

export interface Page {
  total_count: number;
  entries: Item[];
}

export type Sort = "name" | "date" | "size";
export type Direction = "ASC" | "DESC";

export const folder = (id: string, signal?: AbortSignal) =>
  read<Folder>(`/2.0/folders/${id}?fields=type,id,etag,name,item_status,path_collection`, signal);

export const page = (
  id: string,
  sort: Sort,
  direction: Direction,
  offset: number,
  limit: number,
  signal?: AbortSignal,
) =>
  read<Page>(
    `/2.0/folders/${id}/items?${new URLSearchParams({ fields: FIELDS, sort, direction, offset: String(offset), limit: String(limit) })}`,
    signal,
  );

export const trashed = (offset: number, limit: number, signal?: AbortSignal) =>
  read<Page>(
    `/2.0/folders/trash/items?${new URLSearchParams({ fields: FIELDS, offset: String(offset), limit: String(limit) })}`,
    signal,
  );

export const me = () => read<User>("/2.0/users/me?fields=id,name,login,role,space_amount,space_used");

export const newFolder = async (parent: string, name: string): Promise<Item> =>
  (await ask("POST", "/2.0/folders", { json: { name, parent: { id: parent } } })).json() as Promise<Item>;

export const rename = async (item: Item, name: string): Promise<Item> =>
  (
    await ask("PUT", `${pathOf(item)}?fields=${FIELDS}`, {
      json: { name },
      ...(item.etag ? { headers: { "if-match": item.etag } } : {}),
    })
  ).json() as Promise<Item>;

export const remove = async (item: Mini): Promise<void> => {
  await ask("DELETE", item.type === "folder" ? `${pathOf(item)}?recursive=true` : pathOf(item));
};

export const restore = async (item: Mini): Promise<void> => {
  await ask("POST", pathOf(item), { json: {} });
};

export const removeForGood = async (item: Mini): Promise<void> => {
  await ask("DELETE", `${pathOf(item)}/trash`);
};

/** An archive of several items: where to fetch it. Good once, and soon. */
export const archive = async (items: Mini[], name: string): Promise<string> => {
  const asked = { items: items.map(({ type, id }) => ({ type, id })), download_file_name: name };
  const made = (await (await ask("POST", "/2.0/zip_downloads", { json: asked })).json()) as { download_url: string };
  return made.download_url;
};
