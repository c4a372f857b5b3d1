/** Which view the address names. */

export type View = { name: "files"; folder: string } | { name: "trash" };

const here = $state({ view: parse(location.pathname) });

export const view = (): View => here.view;

export function parse(path: string): View {
  if (path === "/trash") return { name: "trash" };
  const folder = /^\/files\/(\d{1,20})$/.exec(path)?.[1];
  return { name: "files", folder: folder ?? "0" };
}

export function pathOf(view: View): string {
  if (view.name === "trash") return "/trash";
  return view.folder === "0" ? "/" : `/files/${view.folder}`;
}

export function go(view: View): void {
  history.pushState(null, "", pathOf(view));
  here.view = view;
}

/** Has a link stay in the page, unless the reader wants it elsewhere. */
export function follow(event: MouseEvent, view: View): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(view);
}

addEventListener("popstate", () => (here.view = parse(location.pathname)));
