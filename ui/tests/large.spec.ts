import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { box, expect, namesIn, row, test } from "./kit";

/** Four parts and a bit. */
const BYTES = 34_000_000;

function file(path: string): string {
  const content = Buffer.alloc(BYTES);
  for (let place = 0; place < BYTES; place += 4) content.writeUInt32LE((place * 2654435761) >>> 0, place);
  writeFileSync(path, content);
  return createHash("sha1").update(content).digest("hex");
}

test("a large file goes on where a reload has cut it off", async ({ page, folder }, info) => {
  const path = info.outputPath("film.bin");
  const sha1 = file(path);
  let parts = 0;
  const choose = () => page.getByLabel("Files", { exact: true }).setInputFiles(path);
  // The first two parts arrive; then nothing does.
  await page.route("**/upload_sessions/*", async (route) => {
    if (route.request().method() !== "PUT") return route.continue();
    parts += 1;
    return parts <= 2 ? route.continue() : route.abort("connectionreset");
  });
  await choose();
  await expect.poll(() => parts).toBeGreaterThan(4);
  await page.reload();
  await page.unroute("**/upload_sessions/*");
  let later = 0;
  page.on("request", (request) => {
    if (request.method() === "PUT" && request.url().includes("/upload_sessions/")) later += 1;
  });
  await choose();
  await expect(page.getByText("1 file uploaded")).toBeVisible();
  await expect(row(page, "film.bin")).toContainText("34 MB");
  expect(later).toBe(3);
  expect(await namesIn(folder)).toEqual(["film.bin"]);
  const listed = await box("GET", `/2.0/folders/${folder}/items?fields=sha1`);
  expect(((await listed.json()) as { entries: { sha1: string }[] }).entries[0]?.sha1).toBe(sha1);
});

test("uploads are paused, go on, and are stopped", async ({ page, folder }, info) => {
  const path = info.outputPath("film.bin");
  file(path);
  let parts = 0;
  await page.route("**/upload_sessions/*", async (route) => {
    if (route.request().method() === "PUT") {
      parts += 1;
      // Time enough for somebody to press a button.
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    await route.continue().catch(() => undefined);
  });
  await page.getByLabel("Files", { exact: true }).setInputFiles(path);
  await expect.poll(() => parts).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Pause uploads" }).click();
  await expect(page.getByRole("button", { name: "Go on with uploads" })).toBeVisible();
  expect(await namesIn(folder)).toEqual([]);
  await page.getByRole("button", { name: "Go on with uploads" }).click();
  await expect(page.getByText("1 file uploaded")).toBeVisible();
  expect(await namesIn(folder)).toEqual(["film.bin"]);

  const before = parts;
  await page.getByLabel("Files", { exact: true }).setInputFiles(path);
  await page.getByRole("button", { name: "Keep both" }).click();
  await expect.poll(() => parts).toBeGreaterThan(before);
  await page.getByRole("button", { name: "Stop uploads" }).click();
  await expect(page.getByText("stopped")).toBeVisible();
  expect(await namesIn(folder)).toEqual(["film.bin"]);
});
