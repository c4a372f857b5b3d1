import { expect, isAccessible, LOGIN, PASSWORD, picture, test } from "./kit";

test("the first administrator sets a password, signs in, and comes to their files", async ({ page, context }) => {
  await page.goto(process.env["ENTENTE_LINK"] ?? "");
  await isAccessible(page);
  await picture(page, "first-password");
  await page.getByLabel("New password, at least").fill(PASSWORD);
  await page.getByLabel("New password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Set a password" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();

  await page.goto("/files/0");
  await expect(page).toHaveURL(/\/oauth2\/sign-in\?continue=%2Ffiles%2F0/);
  await isAccessible(page);
  await picture(page, "sign-in");
  await page.getByLabel("Mail address").fill(LOGIN);
  await page.getByLabel("Password").fill("not that");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "All files" })).toBeVisible();
  await expect(page).toHaveURL(/\/files\/0$/);
  await context.storageState({ path: "../target/web/signed-in.json" });
});
