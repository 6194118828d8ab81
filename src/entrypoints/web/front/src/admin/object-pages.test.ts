import { describe, expect, test } from "vitest";
import { actorPage, pageOf } from "./object-pages";

describe("what was changed is shown by the page that", () => {
  test.each([
    ["virtual_key", "key_1", "/app/admin/keys?open=key_1"],
    ["price", "groq/llama-3", "/app/admin/models?open=groq%2Fllama-3"],
    ["member", "ten_1/usr_1", "/app/admin/tenants?open=ten_1"],
    ["password", "usr_1", "/app/admin/users?open=usr_1"],
    ["setting", "budgets", "/app/admin/settings#budgets"],
    ["model_group", "fast", "/app/admin/settings#model-groups"],
    ["limit", "lim_1", "/app/admin/limits?open=lim_1"],
    ["budget", "bud_1", "/app/admin/budgets?open=bud_1"],
    ["route", "fast", "/app/admin/routes?open=fast"],
    ["admin_token", "tok_1", "/app/admin/tokens?open=tok_1"],
    ["alert_channel", "alc_1", "/app/admin/alerts?open=alc_1"],
    ["alert_rule", "alr_1", "/app/admin/alerts?open=alr_1"],
    ["alert_delivery", "ald_1", "/app/admin/alerts?open=ald_1"],
    ["provider_key", "pk_1", "/app/admin/providers?key=pk_1"],
    ["operation", "GET /admin/usage", "/app/admin/usage"],
    ["operation", "POST /auth/login", null],
    ["session", "ses_1", null],
    ["constructor", "x", null],
  ])("opens a %s", (kind, id, expected) => {
    expect(pageOf({ kind, id }, [])).toBe(expected);
  });

  test("opens a provider's key with its provider, where that is said", () => {
    const object = { kind: "provider_key", id: "pkey_1" };
    expect(pageOf(object, [{ field: "provider_id", old: null, new: "groq" }])).toBe("/app/admin/providers?open=groq");
    expect(pageOf(object, [{ field: "provider_id", old: "groq", new: null }])).toBe("/app/admin/providers?open=groq");
    expect(pageOf(object, [{ field: "label", old: "a", new: "b" }])).toBe("/app/admin/providers?key=pkey_1");
  });
});

test.each([
  ["user", "usr_1", "/app/admin/users?open=usr_1"],
  ["admin_token", "tok_1", "/app/admin/tokens?open=tok_1"],
  ["admin_token", "platform", null],
  ["system", "", null],
])("an actor %s %s is shown there", (kind, id, page) => {
  expect(actorPage({ kind, id })).toBe(page);
});
