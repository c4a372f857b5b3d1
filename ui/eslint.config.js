import svelte from "eslint-plugin-svelte";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "test-results"] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    rules: {
      // svelte-check knows which of them are needed; and what is not shown need not be reactive.
      "svelte/no-unused-svelte-ignore": "off",
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  { files: ["**/*.svelte", "**/*.svelte.ts"], languageOptions: { parserOptions: { parser: ts.parser } } },
);
