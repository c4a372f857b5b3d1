/** What the page says, in the reader's language. A language is a file of messages in `../messages`. */

import en from "../messages/en.json";

export type Messages = typeof en;
type Key = keyof Messages;
/** Messages that differ by number are named `…_one`, `…_other` and so on, as `Intl.PluralRules` calls them. */
type CountedKey = Key extends infer K ? (K extends `${infer Stem}_other` ? Stem : never) : never;

/** Each language, in its own words, and where its messages are. */
export const LANGUAGES: Record<string, { name: string; load: () => Promise<Messages> }> = {
  en: { name: "English", load: () => Promise.resolve(en) },
  de: { name: "Deutsch", load: async () => (await import("../messages/de.json")).default satisfies Messages },
};
const STORED = "entente.language";
/** What turns the direction of text around, by which one name would look like another, and what cannot be seen. */
const UNSEEN = /[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g;

const spoken = $state({ language: "en", messages: en as Messages });

export const language = (): string => spoken.language;

/** The language that was chosen here, else the first of the browser's that there is, else English. */
export async function chooseLanguage(): Promise<void> {
  const wished = [localStorage.getItem(STORED) ?? "", ...navigator.languages.map((tag) => tag.split("-")[0] ?? "")];
  await speak(wished.find((tag) => tag in LANGUAGES) ?? "en");
}

export async function setLanguage(tag: string): Promise<void> {
  localStorage.setItem(STORED, tag);
  await speak(tag);
}

async function speak(tag: string): Promise<void> {
  const found = LANGUAGES[tag];
  if (!found) return;
  spoken.messages = await found.load();
  spoken.language = tag;
  document.documentElement.lang = tag;
}

/** A name as it is shown. */
export const shown = (name: string): string => name.replace(UNSEEN, "\ufffd");

/** The language as the reader's country writes numbers and dates in it, if the browser says which country that is. */
const format = (): string =>
  navigator.languages.find((tag) => tag.split("-")[0] === spoken.language) ?? spoken.language;

/** A message, with what stands between braces put in. It stays a text, whatever that is. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return spoken.messages[key].replace(/\{(\w+)\}/g, (whole, name: string) => shown(String(values[name] ?? whole)));
}

/** The same, of several things. */
export function counted(stem: CountedKey, count: number, values: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(spoken.language).select(count);
  const key = `${stem}_${form}` as Key;
  return t(key in spoken.messages ? key : (`${stem}_other` as Key), { count: number(count), ...values });
}

export const number = (value: number): string => new Intl.NumberFormat(format()).format(value);

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;

/** A size, to three figures. */
export function bytes(value: number): string {
  let step = 0;
  while (value >= 999.5 && step < UNITS.length - 1) {
    value /= 1000;
    step += 1;
  }
  const options = { style: "unit", unit: UNITS[step] ?? "byte", unitDisplay: step ? "short" : "long" } as const;
  return new Intl.NumberFormat(format(), { ...options, maximumSignificantDigits: 3 }).format(value);
}

/** A moment: the time of today, the day of others. */
export function moment(text: string | null | undefined): string {
  if (!text) return "";
  const date = new Date(text);
  const isToday = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(format(), isToday ? { timeStyle: "short" } : { dateStyle: "medium" }).format(date);
}

/** How long, roughly. */
export function duration(seconds: number): string {
  if (seconds < 60) return counted("seconds", Math.max(1, Math.round(seconds)));
  if (seconds < 3600) return counted("minutes", Math.round(seconds / 60));
  return counted("hours", Math.round(seconds / 3600));
}
