import { readFileSync } from "node:fs";
import { box, expect, isAccessible, namesIn, newFile, newFolder, picture, row, test } from "./kit";

test("folders are made, renamed, trashed and brought back", async ({ page, folder }) => {
  await expect(page.getByRole("heading", { name: "Nothing here yet" })).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "New folder" }).click();
  await page.getByLabel("Name of the folder").fill("Plans");
  await isAccessible(page);
  await page.getByRole("button", { name: "Create" }).click();
  await expect(row(page, "Plans")).toBeVisible();

  await page.getByRole("button", { name: "New folder" }).click();
  await page.getByLabel("Name of the folder").fill("plans");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("alert")).toHaveText("an item of that name is there already");
  await page.getByRole("button", { name: "Cancel" }).click();

  await row(page, "Plans").getByRole("checkbox").check();
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByLabel("New name").fill("Plans of 2027");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row(page, "Plans of 2027")).toBeVisible();
  expect(await namesIn(folder)).toEqual(["Plans of 2027"]);

  await row(page, "Plans of 2027").click();
  await page.keyboard.press("Delete");
  await expect(page.getByText("“Plans of 2027” is in the trash")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Nothing here yet" })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "Plans of 2027")).toBeVisible();
  expect(await namesIn(folder)).toEqual(["Plans of 2027"]);
});

test("files go up and come down as they were", async ({ page, folder }) => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, place) => (place * 7919) % 251));
  await page.getByLabel("Files", { exact: true }).setInputFiles([
    { name: "data.bin", mimeType: "application/octet-stream", buffer: content },
    { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) },
  ]);
  await expect(page.getByText("2 files uploaded")).toBeVisible();
  await expect(row(page, "data.bin")).toContainText("300 kB");
  await isAccessible(page);
  await picture(page, "uploaded");
  await row(page, "data.bin").click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("data.bin");
  expect(readFileSync(await download.path()).equals(content)).toBe(true);

  await page.getByRole("checkbox", { name: "Select all" }).check();
  const [archive] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  expect(archive.suggestedFilename()).toMatch(/\.zip$/);
  expect(
    readFileSync(await archive.path())
      .subarray(0, 2)
      .toString(),
  ).toBe("PK");
  expect((await namesIn(folder)).sort()).toEqual(["data.bin", "empty.txt"]);
});

test("folders are dropped with all that is in them", async ({ page, folder }) => {
  await page.evaluate(() => {
    // What Chromium hands to a page when a folder is dropped on it; only a person can really drop one.
    const file = (name: string, text: string) => ({
      isFile: true,
      name,
      file: (done: (file: File) => void) => done(new File([text], name)),
    });
    const directory = (name: string, entries: object[]) => ({
      isFile: false,
      name,
      createReader() {
        const left = [...entries];
        return { readEntries: (done: (some: object[]) => void) => done(left.splice(0, 1)) };
      },
    });
    const tree = directory("Album", [
      file("one.txt", "1"),
      directory("Spring", [file("two.txt", "22"), file("three.txt", "333")]),
    ]);
    const data = { types: ["Files"], items: [{ webkitGetAsEntry: () => tree }] };
    const section = document.querySelector("section.files");
    for (const kind of ["dragover", "drop"]) {
      const event = new Event(kind, { bubbles: true, cancelable: true });
      Object.defineProperty(event, "dataTransfer", { value: data });
      section?.dispatchEvent(event);
    }
  });
  await expect(page.getByText("3 files uploaded")).toBeVisible();
  await page.getByRole("link", { name: "Album" }).click();
  await page.getByRole("link", { name: "Spring" }).click();
  await expect(row(page, "two.txt")).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Path" })).toContainText("Album");
  await page.goBack();
  await expect(row(page, "one.txt")).toBeVisible();
  expect(await namesIn(folder)).toEqual(["Album"]);
});

test("a taken name is asked about", async ({ page, folder }) => {
  const first = await newFile(folder, "report.txt", "first");
  const upload = (text: string) =>
    page
      .getByLabel("Files", { exact: true })
      .setInputFiles([{ name: "report.txt", mimeType: "text/plain", buffer: Buffer.from(text) }]);
  await upload("second");
  await expect(page.getByRole("dialog")).toContainText("There is “report.txt” already");
  await isAccessible(page);
  await picture(page, "conflict");
  await page.getByRole("button", { name: "Make it a new version" }).click();
  await expect(page.getByText("1 file uploaded")).toBeVisible();
  expect(await (await box("GET", `/2.0/files/${first}/content`)).text()).toBe("second");

  await upload("third");
  await page.getByRole("button", { name: "Keep both" }).click();
  await expect(row(page, "report (1).txt")).toBeVisible();
  await upload("fourth");
  await page.getByRole("button", { name: "Leave it out" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  expect((await namesIn(folder)).sort()).toEqual(["report (1).txt", "report.txt"]);
  expect(await (await box("GET", `/2.0/files/${first}/content`)).text()).toBe("second");
});

test("the keyboard does everything", async ({ page, folder }) => {
  for (const name of ["a", "b", "c", "d"]) await newFolder(folder, name);
  await page.reload();
  await expect(row(page, "a")).toBeVisible();
  await row(page, "a").focus();
  await page.keyboard.press("ArrowDown");
  await expect(row(page, "b")).toBeFocused();
  await expect(row(page, "b")).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(page.getByText("2 selected")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+a");
  await expect(page.getByText("4 selected")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("4 selected")).toBeHidden();
  await page.keyboard.press("End");
  await expect(row(page, "d")).toBeFocused();
  await page.keyboard.press("F2");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("dd");
  await page.keyboard.press("Enter");
  await expect(row(page, "dd")).toBeVisible();
  await row(page, "a").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "a", exact: true })).toBeVisible();
});

test("names are texts, whatever is in them", async ({ page, folder }) => {
  const names = [
    "<img src=x onerror=alert(1)>.txt",
    "'\"><script>alert(2)<:script>.svg",
    "{{constructor.constructor('alert(3)')()}}",
    "${alert(4)}.html",
    "javascript:alert(5)",
    "\u202egnp.exe",
    "a very " + "long ".repeat(45) + "name",
    "e\u0301\u0301\u0301\u0301\u0301 🙂👩‍👩‍👧‍👦 نص 文字.txt",
  ];
  for (const name of names) await newFile(folder, name, "<script>alert(6)</script>");
  await page.reload();
  await expect(page.getByRole("link", { name: names[0] ?? "", exact: true })).toBeVisible();
  for (const name of names) {
    const shown = await page.getByRole("link").evaluateAll((links) => links.map((link) => link.textContent));
    // One that would turn the text around shows that it would.
    expect(shown).toContain(name.replace("\u202e", "\ufffd"));
  }
  await picture(page, "hostile-names");
  await row(page, names[0] ?? "").click();
  await page.getByRole("button", { name: "Move to trash" }).click();
  await expect(page.getByText(`“${names[0]}” is in the trash`)).toBeVisible();
  await isAccessible(page);
});

test("what people upload never runs as ours", async ({ page, folder, baseURL }) => {
  const script = "<script>document.title='ran'</script>";
  const contents: [string, string][] = [
    ["page.html", `<!doctype html>${script}`],
    ["picture.svg", `<svg xmlns="http://www.w3.org/2000/svg">${script}</svg>`],
    ["page.xhtml", `<html xmlns="http://www.w3.org/1999/xhtml">${script}</html>`],
    ["script.js", "document.title='ran'"],
  ];
  for (const [name, content] of contents) {
    const id = await newFile(folder, name, content);
    const answer = await box("GET", `/2.0/files/${id}/content`);
    expect(new URL(answer.url).origin).toBe(new URL(baseURL ?? "").origin);
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toContain("sandbox");
    const ran = await page.evaluate(async (url) => {
      const script = document.createElement("script");
      script.src = url;
      document.head.append(script);
      await new Promise((resolve) => (script.onload = script.onerror = resolve));
      return document.title === "ran";
    }, answer.url);
    expect(ran, name).toBe(false);
  }
});

test("a folder that goes away says so", async ({ page, folder }) => {
  await box("DELETE", `/2.0/folders/${folder}?recursive=true`);
  await page.reload();
  await expect(page.getByRole("heading", { name: "This folder is not there any more" })).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "Go to all files" }).click();
  await expect(page.getByRole("heading", { name: "All files" })).toBeVisible();
});

test("a folder of thousands is as quick as one of ten", async ({ page, folder }) => {
  const names = Array.from({ length: 1_200 }, (_, place) => `file ${String(place).padStart(4, "0")}`);
  for (let place = 0; place < names.length; place += 8) {
    await Promise.all(names.slice(place, place + 8).map((name) => newFile(folder, name, name)));
  }
  await page.reload();
  await expect(page.getByText("1,200 items")).toBeVisible();
  await expect(row(page, "file 0000")).toBeVisible();
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  await row(page, "file 0000").focus();
  await page.keyboard.press("End");
  await expect(row(page, "file 1199")).toBeFocused();
  await page.getByRole("button", { name: "Name" }).click();
  await expect(row(page, "file 1199")).toHaveAttribute("aria-rowindex", "2");
});

test("in German, in the dark, and on a telephone", async ({ page, folder }) => {
  await newFolder(folder, "Verträge");
  await newFile(folder, "Angebot.pdf", "%PDF-1.4 …");
  await newFile(folder, "Foto.jpg", "…");
  await page.reload();
  await page.getByRole("button", { name: "Account of" }).click();
  await isAccessible(page);
  await picture(page, "account");
  await page.getByRole("menuitemradio", { name: "Deutsch" }).click();
  await page.getByRole("menuitemradio", { name: "Dunkel" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("columnheader", { name: "Geändert" })).toBeVisible();
  await isAccessible(page);
  await picture(page, "files-german-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await isAccessible(page);
  await picture(page, "files-telephone-dark");
  await page.reload();
  await expect(page.getByRole("link", { name: "Papierkorb" })).toBeVisible();
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: "Konto von" }).click();
  await page.getByRole("menuitemradio", { name: "Wie das System" }).click();
  await page.keyboard.press("Escape");
  await isAccessible(page);
  await picture(page, "files-telephone-light");
});

test("the trash is emptied by choice alone", async ({ page, folder }) => {
  const name = `old ${Date.now()}.txt`;
  const file = await newFile(folder, name, "old");
  await box("DELETE", `/2.0/files/${file}`);
  await page.getByRole("link", { name: "Trash" }).click();
  await row(page, name).getByRole("checkbox").check();
  await isAccessible(page);
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByRole("alertdialog")).toContainText(`Delete “${name}” for good?`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(row(page, name)).toBeVisible();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete for good" }).click();
  await expect(row(page, name)).toBeHidden();
  await expect(page.getByText(`“${name}” is deleted`)).toBeVisible();
});
