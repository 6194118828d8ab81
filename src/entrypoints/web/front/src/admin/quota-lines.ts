type Quota = Readonly<Record<string, unknown>>;

/** A quota as one line: `1000 requests day`, then what else is said of it as `name=value`, with + for a space. */
function line({ limit, dimension, window, ...others }: Quota): string {
  const more = Object.entries(others).map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value).replaceAll(" ", "+")}`);
  return [String(limit), String(dimension), String(window), ...more].join(" ");
}

function readLine(text: string): Record<string, unknown> {
  const [limit, dimension, window, ...more] = text.trim().split(/\s+/) as [string, string?, string?, ...string[]];
  const quota: Record<string, unknown> = { limit: Number(limit), dimension: dimension ?? "", window: window ?? "" };
  for (const word of more) {
    const at = word.indexOf("=");
    const [name, value] = [at > 0 ? word.slice(0, at) : word, at > 0 ? word.slice(at + 1) : ""];
    quota[name] = name === "models" ? value.split(",").filter(Boolean) : value.replaceAll("+", " ");
  }
  return quota;
}

/** A provider key's own quotas as text: nothing is the registry's, `none` is none at all. */
export const QUOTAS = {
  kind: "lines",
  write: (value: unknown): string => (!Array.isArray(value) ? "" : value.length === 0 ? "none" : (value as Quota[]).map(line).join("\n")),
  read: (text: string): unknown => (text.trim() === "" ? null : text.trim() === "none" ? [] : text.split("\n").filter((one) => one.trim()).map(readLine)),
} as const;
