import { expect, test } from "vitest";
import { affinityInWords, excludedInWords, standing, taskInWords, type DecisionCandidate } from "./decision-words";

test.each([
  ["capability:json_schema", "it is not known to do json schema"],
  ["context_window", "the prompt does not fit its context window"],
  ["failed:server_error", "it was asked and failed: server error"],
  ["when:tags", "it is for requests with another tag"],
  ["unavailable", "it rested, or a cap was reached"],
  ["a_rule:to_come", "a rule:to come"],
  ["constructor", "constructor"],
])("%s is in words '%s'", (rule, words) => expect(excludedInWords(rule)).toBe(words));

test("a task says how surely and by whose word", () => {
  expect(taskInWords({ name: "agent_step", confidence: 0.934, source: "heuristic" })).toBe("agent step, 93 % sure, as its text reads");
  expect(taskInWords({ name: "coding", confidence: 1, source: "request" })).toBe("coding, as the request says");
  expect(taskInWords({ name: null, confidence: 0.4, source: "model" })).toBe("not told, as a model reads it");
});

test("why a conversation stayed or moved is in words, also for a reason to come", () => {
  expect(affinityInWords("switch:down")).toBe("it moved: who had it is not available");
  expect(affinityInWords("toString")).toBe("toString");
});

const CANDIDATE: DecisionCandidate = { provider: "a", model: "m", chosen: false, excluded_by: null, score: null, parts: null, estimated_cost_usd: null };

test.each<[Partial<DecisionCandidate>, boolean, string]>([
  [{ chosen: true }, false, "chosen"],
  [{ chosen: true }, true, "would serve"],
  [{ chosen: true, excluded_by: "unavailable" }, false, "first"],
  [{ excluded_by: "not_allowed" }, false, "passed over"],
  [{}, false, "not needed"],
  [{}, true, "would be next"],
])("a candidate of %j (dry: %s) is '%s'", (part, dry, word) => expect(standing({ ...CANDIDATE, ...part }, dry).word).toBe(word));
