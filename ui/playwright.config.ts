import { defineConfig } from "@playwright/test";

const kept = "../target/web";

export default defineConfig({
  testDir: "tests",
  outputDir: `${kept}/results`,
  fullyParallel: true,
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    baseURL: process.env["ENTENTE_URL"] ?? "",
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env["ENTENTE_CHROMIUM"] ?? "/usr/bin/chromium",
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
  projects: [
    { name: "sign-in", testMatch: "sign-in.ts" },
    {
      name: "stories",
      testMatch: "*.spec.ts",
      dependencies: ["sign-in"],
      use: { storageState: `${kept}/signed-in.json` },
    },
  ],
});
