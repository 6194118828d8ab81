import { useState } from "preact/hooks";
import { BUDGETS, limitsOf } from "./rule-fields";
import { ChangeForm } from "./change-form";
import type { Field } from "./changes";
import { sendJson } from "./http";
import { Inner } from "./inner";
import { Confirmed, Empty, Form, Problem, Tag, type Asked } from "./parts";
import type { ComponentChildren } from "preact";
import { More, useList } from "./list";
import { ofFile, type Owned } from "./owner";
import { known } from "./query";
import { rulesInWords, type Budget, type Limits } from "./rules";

export interface Member extends Owned {
  readonly user_id: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly status: string | null;
  readonly role: string;
  readonly limits: Limits;
  readonly budgets: readonly Budget[];
}

const RULES: readonly Field[] = [...limitsOf("limits", "At most"), { name: "budgets", label: "Budgets", hint: "One a line: amount in USD, period (day, week, month), time zone. At most what the tenant has.", ...BUDGETS }];

const ROLES = ["owner", "admin", "member", "viewer"];

/** Which roles somebody may give: the platform's admin and owners all, admins those up to their own. */
export const rolesGivenBy = (role: string): readonly string[] => (role === "owner" ? ROLES : role === "admin" ? ROLES.slice(1) : []);

interface MembersProps {
  readonly tenant: string;
  readonly givenBy: readonly string[];
  /** How what a member has left is shown, where that is known. */
  readonly left?: (user: string) => ComponentChildren;
  readonly children?: ComponentChildren;
}

/** A tenant's members: who they are, as what, and, for those who may, adding, changing and removing them; then what stands below. */
export function Members({ tenant, givenBy, left, children }: MembersProps) {
  const path = `/admin/tenants/${tenant}/members`;
  const list = useList<Member>(`${path}?limit=200`, (one) => one.user_id);
  const act = async (method: string, where: string, body?: unknown): Promise<void> => {
    await sendJson(method, where, body);
    list.reload();
  };
  const asks = (form: FormData): Asked => ["POST", path, { email: String(form.get("email")).trim(), role: String(form.get("role")) }];
  return (
    <>
    <section>
      <h3>Members</h3>
      <Problem of={list} />
      {list.data?.length === 0 && <Empty>Nobody yet.</Empty>}
      <ul class="list">
        {list.data?.map((one) => <OneMember key={one.user_id} member={one} path={`${path}/${one.user_id}`} left={left} changed={list.reload} givenBy={givenBy} act={(method, body) => act(method, `${path}/${one.user_id}`, body)} />)}
      </ul>
      <More of={list} />
      {known(list) && givenBy.length > 0 && (
        <>
          <h3>Add a member</h3>
          <Form label="Add member" send={(form) => act(...asks(form))} asks={asks}>
            <label>E-mail <input name="email" type="email" required autocomplete="off" /><small>Who has no account yet is made one, and is invited by mail, or by the platform's admin.</small></label>
            <label>Role <select name="role">{givenBy.map((one) => <option key={one} selected={one === "member"}>{one}</option>)}</select></label>
          </Form>
        </>
      )}
    </section>
    {known(list) && children}
    </>
  );
}

interface OneProps {
  readonly member: Member;
  readonly path: string;
  readonly left: MembersProps["left"];
  readonly changed: () => void;
  readonly givenBy: readonly string[];
  readonly act: (method: string, body?: unknown) => Promise<void>;
}

function OneMember({ member, path, left, changed, givenBy, act }: OneProps) {
  const [error, setError] = useState("");
  const may = givenBy.includes(member.role) && !ofFile(member);
  const rules = rulesInWords(member.limits, member.budgets);
  const who = member.name || member.email || member.user_id;
  const change = (role: string): void => void act("PATCH", { role }).then(() => setError(""), (problem: Error) => setError(problem.message));
  return (
    <li>
      <span>
        <b dir="auto">{who}</b> {member.status && member.status !== "active" && <Tag state={member.status} />}
        <small class="quiet" dir="auto"> {member.name && member.email ? member.email : ""}{rules === "none" ? "" : ` · ${rules}`}</small>
        {error && <span class="fault" role="alert">{error}</span>}
      </span>
      <span class="buttons">
        {may ? <select class="choice" aria-label={`Role of ${who}`} value={member.role} onChange={(event) => change(event.currentTarget.value)}>{givenBy.map((one) => <option key={one}>{one}</option>)}</select> : <span class="quiet">{member.role}{ofFile(member) && ", declared by the settings file"}</span>}
        {may && <Confirmed label="Remove" question={`Removes ${who}, and ends their keys here.`} run={() => act("DELETE")} />}
      </span>
      {(may || left) && (
        <Inner title={<>Limits and budgets<span class="sr"> of {who}</span></>}>
          {() => (
            <>
              {left?.(member.user_id)}
              {may && <ChangeForm path={path} fields={RULES} done={changed} label="Save limits" />}
            </>
          )}
        </Inner>
      )}
    </li>
  );
}
