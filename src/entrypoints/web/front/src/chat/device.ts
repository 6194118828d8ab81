import { signal } from "@preact/signals";

const KEY = "omg.device";

/** Whether this device is counted apart. Only then it has an id, made at random and kept here alone. */
export const deviceId = signal(localStorage.getItem(KEY) ?? "");

export function countDevice(yes: boolean): void {
  deviceId.value = yes ? crypto.randomUUID() : "";
  if (yes) localStorage.setItem(KEY, deviceId.value);
  else localStorage.removeItem(KEY);
}

export const deviceHeaders = (): Readonly<Record<string, string>> => (deviceId.value ? { "x-device-id": deviceId.value } : {});
