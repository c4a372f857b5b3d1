/** What stories share: a page that may not misbehave, and the Box door for what a story begins with. */

import { test as base, expect, type Page } from "@playwright/test";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const LOGIN = process.env["ENTENTE_LOGIN"] ?? "";
export const PASSWORD = process.env["ENTENTE_PASSWORD"] ?? "";
const TOKEN = process.env["ENTENTE_TOKEN"] ?? "";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = "../target/web/screens";

export { expect };

/** Each page is watched: nothing may be asked of another host, break the policy, or be logged as an error. */
export const test = base.extend<{ page: Page; folder: string }>({
  page: async ({ page, baseURL }, use) => {
    const wrong: string[] = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== new URL(baseURL ?? "").origin) wrong.push(`asked ${url}`);
    });
    page.on("pageerror", (error) => wrong.push(`threw ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      // A refusal that the page deals with is logged by the browser all the same.
      const isRefusal = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
      // A story may cut the network.
      const isCut = message.text().endsWith("net::ERR_CONNECTION_RESET");
      if (message.type() === "error" && !isRefusal && !isCut) wrong.push(`logged ${message.text()}`);
    });
    page.on("dialog", (dialog) => {
      // The browser's own question whether to leave is answered with yes.
      if (dialog.type() === "beforeunload") return void dialog.accept();
      wrong.push(`showed ${dialog.message()}`);
      void dialog.dismiss();
    });
    await use(page);
    expect(wrong).toEqual([]);
  },
  /** A folder of this story's own, with the page in it. */
  folder: async ({ page }, use, info) => {
    const id = await newFolder("0", `${info.title.slice(0, 60)} ${info.workerIndex}-${Date.now()}`);
    await page.goto(`/files/${id}`);
    await expect(page.getByRole("heading", { level: 1 })).toContainText(info.title.slice(0, 60));
    await use(id);
  },
});

/** No violation of WCAG 2.2 AA that a program can find. */
export async function isAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run: (where: Document, how: object) => Promise<unknown> } }).axe;
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    // Menus stand beside the landmarks while they are open; what they belong to says so.
    const rules = { region: { enabled: false } };
    const { violations } = (await axe.run(document, { runOnly: tags, rules })) as {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => [node.html, node.failureSummary]) }));
  });
  expect(found).toEqual([]);
}

/** Keeps a picture of what is to be seen. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: `${SCREENS}/${name}.png`, animations: "disabled" });
}

/** Asks the Box door directly. */
export async function box(method: string, path: string, json?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const body = json === undefined ? null : JSON.stringify(json);
  const answer = await fetch(`${process.env["ENTENTE_URL"]}/box${path}`, { method, headers, body });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

export async function newFolder(parent: string, name: string): Promise<string> {
  const made = await box("POST", "/2.0/folders", { name, parent: { id: parent } });
  return ((await made.json()) as { id: string }).id;
}

export async function newFile(
  parent: string,
  name: string,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<string> {
  const form = new FormData();
  form.append("attributes", JSON.stringify({ name, parent: { id: parent } }));
  form.append("file", new Blob([content]), "file");
  const headers = { authorization: `Bearer ${TOKEN}` };
  const url = `${process.env["ENTENTE_URL"]}/box/upload/2.0/files/content`;
  const answer = await fetch(url, { method: "POST", headers, body: form });
  if (!answer.ok) throw new Error(`upload of ${name}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { entries: { id: string }[] }).entries[0]?.id ?? "";
}

/** The names of what is in a folder, as the server has them. */
export async function namesIn(folder: string): Promise<string[]> {
  const answer = await box("GET", `/2.0/folders/${folder}/items?fields=name&limit=1000`);
  return ((await answer.json()) as { entries: { name: string }[] }).entries.map(({ name }) => name);
}

export const row = (page: Page, name: string) =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
