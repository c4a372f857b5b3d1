/** Light or dark: what was chosen here, else as the system is. */

export type Theme = "system" | "light" | "dark";
const STORED = "entente.theme";

const chosen = $state({ theme: read() });
apply(chosen.theme);

export const theme = (): Theme => chosen.theme;

export function setTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme);
  chosen.theme = theme;
  apply(theme);
}

function read(): Theme {
  const stored = localStorage.getItem(STORED);
  return stored === "light" || stored === "dark" ? stored : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
