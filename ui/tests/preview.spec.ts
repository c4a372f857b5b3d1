import { deflateSync } from "node:zlib";
import { expect, isAccessible, newFile, picture, test } from "./kit";

/** A PNG of one colour. */
function png(width: number, height: number): Uint8Array<ArrayBuffer> {
  const crcs = Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc >>> 0;
  });
  const chunk = (kind: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    let crc = 0xffffffff;
    for (const byte of body) crc = ((crcs[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8)) >>> 0;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
    return Buffer.concat([length, body, check]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(
    Array.from({ length: height }, () =>
      Buffer.concat([Buffer.of(0), Buffer.alloc(width * 3).fill(Buffer.of(36, 120, 214))]),
    ),
  );
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const whole = [signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat(whole));
}

/** A PDF with a page for each text. */
function pdf(...pages: string[]): string {
  const kids = pages.map((_, page) => `${4 + 2 * page} 0 R`).join(" ");
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  for (const [page, text] of pages.entries()) {
    const drawn = `BT /F1 40 Tf 50 700 Td (${text}) Tj ET`;
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents ${5 + 2 * page} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
    );
  }
  let written = "%PDF-1.4\n";
  const places = objects.map((object, number) => {
    const place = written.length;
    written += `${number + 1} 0 obj\n${object}\nendobj\n`;
    return place;
  });
  const table = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  return `${written}xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${written.length}\n%%EOF\n`;
}

test("files are looked at one after the other", async ({ page, folder }) => {
  await newFile(folder, "a picture.png", png(400, 300));
  await newFile(folder, "b notes.txt", "first line\n<b>second</b> line");
  await newFile(folder, "c report.pdf", pdf("the first page", "the second page"));
  await newFile(folder, "d thing.bin", "nobody knows");
  await page.reload();
  await page.getByRole("link", { name: "a picture.png" }).click();
  const dialog = page.getByRole("dialog");
  const image = dialog.getByRole("img", { name: "a picture.png" });
  await expect(image).toBeVisible();
  expect(await image.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight])).toEqual([
    400, 300,
  ]);
  await isAccessible(page);
  await page.keyboard.press("ArrowRight");
  await expect(dialog.getByText("<b>second</b> line")).toBeVisible();
  await isAccessible(page);
  await dialog.getByRole("button", { name: "Next file" }).click();
  await expect(dialog.getByRole("img", { name: "Page 1" })).toBeVisible();
  await dialog.getByRole("region").press("End");
  await expect(dialog.getByRole("img", { name: "Page 2" })).toBeVisible();
  await picture(page, "preview");
  await page.keyboard.press("ArrowRight");
  await expect(dialog.getByText("There is no preview of this file")).toBeVisible();
  await page.keyboard.press("ArrowLeft");
  await expect(dialog.getByRole("img", { name: "Page 1" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
});
