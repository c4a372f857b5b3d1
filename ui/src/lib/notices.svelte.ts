/** What has just happened, told for a while; with a way back where there is one. */

export interface Notice {
  id: number;
  text: string;
  isProblem: boolean;
  undo?: () => void;
}

const SHOWN_MS = 8_000;
const SHOWN_MAX = 4;

export const notices = $state<Notice[]>([]);
let next = 1;

export function say(text: string, undo?: () => void): void {
  add({ text, isProblem: false, ...(undo ? { undo } : {}) });
}

export function complain(text: string): void {
  add({ text, isProblem: true });
}

export function dismiss(id: number): void {
  const place = notices.findIndex((notice) => notice.id === id);
  if (place >= 0) notices.splice(place, 1);
}

function add(notice: Omit<Notice, "id">): void {
  const id = next++;
  notices.push({ id, ...notice });
  if (notices.length > SHOWN_MAX) notices.shift();
  setTimeout(() => dismiss(id), SHOWN_MS);
}
