/** A setting as `GET /admin/settings` tells it; of a secret no value. */
export interface SettingInForce {
  readonly variable: string;
  readonly key: string | null;
  readonly value: unknown;
  readonly default: unknown;
  readonly source: string;
  readonly masked: boolean;
  readonly set: boolean;
  readonly meaning: string;
}

/** Its value in words: a secret is set or not, what is empty says so. */
export function shownValue({ value, masked, set }: SettingInForce): string {
  if (masked) return set ? "set, and kept secret" : "not set";
  if (Array.isArray(value)) return value.join(", ") || "nothing";
  return value === null || value === undefined || value === "" ? "nothing" : String(value);
}
