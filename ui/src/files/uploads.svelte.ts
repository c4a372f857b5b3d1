/**
 * Uploads: a few at a time, each tried again when the network fails, asked about when a name is taken.
 *
 * What is shown is a summary, renewed a few times a second: ten thousand files are no more work for the page than ten.
 */

import { ask, Refused, Unreached } from "../lib/box";
import type { Found } from "./dropped";
import { LARGE, sendLarge } from "./large";
import { send } from "./sending";

/** Browsers open six connections to a server; one stays for whatever the reader does meanwhile. */
const AT_ONCE = 5;
/** Tries of a file before it counts as failed. */
const TRIES = 5;
/** Answers after which the same may work. */
const MAY_PASS = [429, 500, 502, 503, 504];
const RENEWED_MS = 250;
/** What the speed is an average of, in milliseconds. */
const SPEED_MS = 5_000;
/** Files shown one by one. */
const SHOWN_MAX = 60;

export type State = "waiting" | "running" | "done" | "failed" | "skipped" | "stopped";
export type Answer = "version" | "both" | "skip";

export interface Upload {
  readonly id: number;
  readonly file: File;
  readonly folders: string[];
  readonly root: string;
  name: string;
  state: State;
  /** Bytes that are on their way or there. */
  sent: number;
  error?: unknown;
}

/** What the reader sees. */
export interface Summary {
  total: number;
  done: number;
  failed: number;
  bytes: number;
  sent: number;
  /** Bytes a second. */
  speed: number;
  isRunning: boolean;
  shown: { id: number; name: string; size: number; state: State; sent: number; error?: unknown }[];
}

/** A name that is taken, and whoever waits for what is to be done. */
export interface Conflict {
  name: string;
  /** The file that has the name; a folder cannot get a version. */
  file: string | undefined;
  decide: (answer: Answer, forAll: boolean) => void;
}

const NOTHING: Summary = { total: 0, done: 0, failed: 0, bytes: 0, sent: 0, speed: 0, isRunning: false, shown: [] };

class Uploads {
  summary = $state.raw<Summary>(NOTHING);
  conflict = $state.raw<Conflict>();
  isPaused = $state(false);

  #all: Upload[] = [];
  #waiting: Upload[] = [];
  #running = new Map<Upload, AbortController>();
  #folders = new Map<string, Promise<string>>();
  #conflicts: Promise<unknown> = Promise.resolve();
  #forAll: Answer | undefined;
  #samples: { at: number; sent: number }[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #next = 1;
  #changed = new Set<(folder: string) => void>();

  /** Has somebody told of each folder in which something has arrived. Answers what ends that. */
  onArrival(tell: (folder: string) => void): () => void {
    this.#changed.add(tell);
    return () => this.#changed.delete(tell);
  }

  add(root: string, found: Found[]): void {
    if (!this.summary.isRunning) this.#forAll = undefined;
    for (const { file, folders } of found) {
      const upload: Upload = { id: this.#next++, file, folders, root, name: file.name, state: "waiting", sent: 0 };
      this.#all.push(upload);
      this.#waiting.push(upload);
    }
    this.#renewed();
    this.#go();
  }

  pause(): void {
    this.isPaused = true;
    for (const [upload, stop] of this.#running) {
      this.#again(upload);
      stop.abort();
    }
  }

  resume(): void {
    this.isPaused = false;
    this.#go();
  }

  retry(): void {
    for (const upload of this.#all.filter((upload) => upload.state === "failed")) this.#again(upload);
    this.#folders.clear();
    this.#go();
  }

  stop(): void {
    for (const upload of this.#waiting) upload.state = "stopped";
    this.#waiting = [];
    for (const [upload, stop] of this.#running) {
      upload.state = "stopped";
      stop.abort();
    }
    this.conflict?.decide("skip", true);
    this.isPaused = false;
    this.#renewed();
  }

  /** Forgets what has ended. */
  clear(): void {
    this.#all = this.#all.filter(({ state }) => state === "waiting" || state === "running");
    this.#renewed();
  }

  #again(upload: Upload): void {
    if (upload.state === "waiting") return;
    upload.state = "waiting";
    upload.sent = 0;
    delete upload.error;
    this.#waiting.push(upload);
  }

  #go(): void {
    this.#timer ??= setInterval(() => this.#renewed(), RENEWED_MS);
    while (!this.isPaused && this.#running.size < AT_ONCE) {
      const upload = this.#waiting.shift();
      if (!upload) break;
      upload.state = "running";
      const stop = new AbortController();
      this.#running.set(upload, stop);
      void this.#one(upload, stop.signal);
    }
    if (!this.#running.size && !this.#waiting.length) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#samples = [];
    }
    if (!this.#running.size) this.#renewed();
  }

  async #one(upload: Upload, signal: AbortSignal): Promise<void> {
    try {
      const folder = await this.#folder(upload.root, upload.folders);
      signal.throwIfAborted();
      upload.state = (await this.#put(upload, folder, signal)) ? "done" : "skipped";
      upload.sent = upload.file.size;
      this.#tell(folder);
    } catch (error) {
      // Paused or stopped: it says so already.
      if (!signal.aborted) {
        upload.state = "failed";
        upload.error = error;
      }
    }
    this.#running.delete(upload);
    this.#go();
  }

  #tell(folder: string): void {
    for (const tell of this.#changed) tell(folder);
  }

  /** The folder with those names, made where it is missing, once for all that goes there. */
  #folder(root: string, names: string[]): Promise<string> {
    if (!names.length) return Promise.resolve(root);
    const key = JSON.stringify([root, ...names]);
    let folder = this.#folders.get(key);
    if (!folder) {
      folder = this.#folder(root, names.slice(0, -1)).then(async (parent) => {
        const made = await madeFolder(parent, names.at(-1) ?? "");
        this.#tell(parent);
        return made;
      });
      folder.catch(() => this.#folders.delete(key));
      this.#folders.set(key, folder);
    }
    return folder;
  }

  /** Whether it is there then; else the reader has left it out. */
  async #put(upload: Upload, folder: string, signal: AbortSignal): Promise<boolean> {
    let version: string | undefined;
    for (let attempt = 1, copy = 1; ;) {
      try {
        await put(upload, folder, version, signal);
        return true;
      } catch (error) {
        signal.throwIfAborted();
        const taken = error instanceof Refused && error.status === 409 ? conflicting(error) : undefined;
        if (taken) {
          const answer = copy > 1 ? "both" : await this.#ask(upload.name, taken.file);
          signal.throwIfAborted();
          if (answer === "skip") return false;
          if (answer === "version" && taken.file) version = taken.file;
          else upload.name = numbered(upload.file.name, copy++);
          continue;
        }
        const mayPass = error instanceof Unreached || (error instanceof Refused && MAY_PASS.includes(error.status));
        if (!mayPass || attempt >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
        signal.throwIfAborted();
        attempt += 1;
      }
    }
  }

  /** One question at a time; what was said for all is not asked again. */
  #ask(name: string, file: string | undefined): Promise<Answer> {
    const asked = this.#conflicts.then(
      () =>
        this.#forAll ??
        new Promise<Answer>((resolve) => {
          const decide = (answer: Answer, forAll: boolean) => {
            if (forAll) this.#forAll = answer;
            this.conflict = undefined;
            resolve(answer);
          };
          this.conflict = { name, file, decide };
        }),
    );
    this.#conflicts = asked;
    return asked;
  }

  #renewed(): void {
    const summary: Summary = { ...NOTHING, shown: [], isRunning: this.#running.size + this.#waiting.length > 0 };
    for (const { state, file, sent } of this.#all) {
      summary.total += 1;
      summary.bytes += file.size;
      summary.sent += sent;
      if (state === "done" || state === "skipped") summary.done += 1;
      if (state === "failed") summary.failed += 1;
    }
    const now = performance.now();
    this.#samples.push({ at: now, sent: summary.sent });
    while ((this.#samples[0]?.at ?? now) < now - SPEED_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (first && now > first.at) summary.speed = Math.max(0, ((summary.sent - first.sent) * 1000) / (now - first.at));
    // First what needs somebody, then what happens, then what comes.
    const of = (state: State) => this.#all.filter((upload) => upload.state === state).slice(-SHOWN_MAX);
    const shown = [
      ...of("failed"),
      ...this.#running.keys(),
      ...this.#waiting.slice(0, SHOWN_MAX),
      ...of("done").reverse(),
    ];
    summary.shown = shown
      .slice(0, SHOWN_MAX)
      .map(({ id, name, file, state, sent, error }) => ({ id, name, size: file.size, state, sent, error }));
    this.summary = summary;
  }
}

export const uploads = new Uploads();

async function put(upload: Upload, folder: string, version: string | undefined, signal: AbortSignal): Promise<void> {
  const onProgress = (bytes: number) => (upload.sent = Math.min(bytes, upload.file.size));
  if (upload.file.size >= LARGE) {
    await sendLarge({ file: upload.file, name: upload.name, folder, version, signal, onProgress });
    return;
  }
  const path = `/upload/2.0/files/${version ? `${version}/` : ""}content?fields=id`;
  await send({ method: "POST", path, body: form(upload, folder, version), signal, onProgress });
}

function form(upload: Upload, folder: string, version: string | undefined): FormData {
  const modified = new Date(upload.file.lastModified).toISOString().replace(/\.\d+Z$/, "Z");
  const attributes = {
    name: upload.name,
    content_modified_at: modified,
    ...(version ? {} : { parent: { id: folder } }),
  };
  const form = new FormData();
  form.append("attributes", JSON.stringify(attributes));
  form.append("file", upload.file, upload.name);
  return form;
}

async function madeFolder(parent: string, name: string): Promise<string> {
  try {
    const made = await ask("POST", "/2.0/folders?fields=id", { json: { name, parent: { id: parent } } });
    return ((await made.json()) as { id: string }).id;
  } catch (error) {
    const there = error instanceof Refused && error.status === 409 ? conflicting(error)?.folder : undefined;
    if (there) return there;
    throw error;
  }
}

/** Who has the name, if that is what was wrong. Box tells one, or a list of them. */
function conflicting(error: Refused): { file?: string; folder?: string } | undefined {
  if (error.code !== "item_name_in_use") return undefined;
  const told = (error.context as { conflicts?: unknown } | undefined)?.conflicts;
  const [one] = (Array.isArray(told) ? told : [told]) as { type?: string; id?: string }[];
  if (!one?.id) return {};
  return one.type === "file" ? { file: one.id } : one.type === "folder" ? { folder: one.id } : {};
}

/** `report (2).pdf` of `report.pdf`. */
export function numbered(name: string, copy: number): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${copy})${name.slice(dot)}` : `${name} (${copy})`;
}
