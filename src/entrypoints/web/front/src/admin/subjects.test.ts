import { expect, test } from "vitest";
import { subjectFilters, subjectPage, subjectPath } from "./subjects";

test.each([
  ["key", "key_1", { key_id: "key_1" }, "/app/admin/keys?open=key_1", "/admin/keys/key_1"],
  ["tenant", "ten_1", { tenant_id: "ten_1" }, "/app/admin/tenants?open=ten_1", "/admin/tenants/ten_1"],
  ["member", "ten_1/usr_1", { tenant_id: "ten_1", user_id: "usr_1" }, "/app/admin/tenants?open=ten_1", "/admin/tenants/ten_1/members/usr_1"],
  ["user", "usr_1", { user_id: "usr_1" }, "/app/admin/users?open=usr_1", "/admin/users/usr_1"],
  ["tag", "a/b", { tag: "a/b" }, null, null],
  ["model", "openai/*", { provider: "openai" }, null, null],
  ["model", "some-model", { model: "some-model" }, null, null],
  ["model", "*:free", null, null, null],
  ["provider", "groq", { provider: "groq" }, "/app/admin/providers?open=groq", null],
  ["provider_key", "pk_1", null, null, null],
] as const)("a limit of the %s %s leads to its requests, its page and the object that has it", (kind, id, filters, page, path) => {
  expect(subjectFilters({ kind, id })).toEqual(filters);
  expect(subjectPage({ kind, id })).toBe(page);
  expect(subjectPath({ kind, id })).toBe(path);
});
