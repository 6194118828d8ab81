import { expect, test } from "vitest";
import { EVENTS, aboutPage, channelName, eventTitle, thresholdInWords, whereto, type Channel } from "./alert-words";

const CHANNEL: Channel = { id: "alc_1", kind: "webhook", name: "", url: "https://hooks.example.org/x", to: [], enabled: true, fingerprint: "9f86" };

test.each([
  ["budget_threshold", 0.8, "at 80 %"],
  ["budget_threshold", null, "at the budget's own, and all of it"],
  ["provider_down", null, "as soon as it is"],
  ["key_expiring", 3, "3 days before"],
  ["key_expiring", null, "7 days before"],
  ["cost_drift", 0.025, "at 2.5 %"],
  ["an_event_of_later", null, "at its own"],
] as const)("%s with %s is told %s", (event, threshold, words) => {
  expect(thresholdInWords(event, threshold)).toBe(words);
});

test("every event has words, one that is not known too", () => {
  expect(new Set(EVENTS.map(([name]) => eventTitle(name))).size).toBe(EVENTS.length);
  expect(eventTitle("an_event_of_later")).toBe("an event of later");
});

test("a channel is called by its name, else by where it leads, and one that is gone says so", () => {
  expect(channelName([CHANNEL], "alc_1")).toBe("https://hooks.example.org/x");
  expect(channelName([{ ...CHANNEL, name: "on call" }], "alc_1")).toBe("on call");
  expect(channelName([], "alc_1")).toContain("gone");
  expect(whereto({ ...CHANNEL, url: null, to: ["a@example.org", "b@example.org"] })).toBe("a@example.org, b@example.org");
});

test.each([
  ["budget_threshold", "key", "key_1", "/app/admin/budgets?kind=key&find=key_1"],
  ["provider_down", "provider", "groq", "/app/admin/providers?open=groq"],
  ["error_rate", "provider", "groq", "/app/admin/requests?provider=groq&outcome=error&days=1"],
  ["key_expiring", "key", "key_1", "/app/admin/keys?open=key_1"],
  ["model_retiring", "model", "groq/x", "/app/admin/models?open=groq%2Fx"],
  ["test", "channel", "alc_1", null],
] as const)("an alert of %s about a %s leads to it", (event, kind, id, page) => {
  expect(aboutPage({ kind, id }, event)).toBe(page);
});
