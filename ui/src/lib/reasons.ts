/** Why something did not work, for people. */

import { Refused, Unreached } from "./box";
import { t } from "./messages.svelte";

const BY_CODE = {
  item_name_in_use: "reasonNameTaken",
  item_name_invalid: "reasonNameInvalid",
  item_name_too_long: "reasonNameInvalid",
  storage_limit_exceeded: "reasonQuota",
  file_size_limit_exceeded: "reasonTooLarge",
  access_denied_item_locked: "reasonLocked",
} as const;
const BY_STATUS = {
  403: "reasonForbidden",
  404: "reasonGone",
  409: "reasonNameTaken",
  412: "reasonChanged",
  413: "reasonTooLarge",
} as const;

export function reason(error: unknown): string {
  if (error instanceof Unreached) return t("reasonUnreached");
  if (!(error instanceof Refused)) return t("reasonServer");
  const key = BY_CODE[error.code as keyof typeof BY_CODE] ?? BY_STATUS[error.status as keyof typeof BY_STATUS];
  if (key) return t(key);
  return error.status >= 500 ? t("reasonServer") : error.message;
}
