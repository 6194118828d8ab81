import { useState } from "preact/hooks";
import { ago, moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { Confirmed, Empty, Form, Problem } from "../shared/parts";
import { known, useGet, type Loaded } from "../shared/query";
import { loadSession, session } from "../shared/session";

interface Profile {
  readonly email: string | null;
  readonly name: string;
  readonly platform_role: string;
  readonly timezone: string;
  readonly has_password: boolean;
}

interface SignedIn {
  readonly id: string;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly address: string;
  readonly user_agent: string;
  readonly current: boolean;
}

interface SignedIns {
  readonly data: readonly SignedIn[];
}

/** Who one is, how one signs in, and where one is signed in. */
export default function Account() {
  const profile = useGet<Profile>("/me");
  const mine = profile.data;
  const keyed = session.value?.auth === "keys";
  const sessions = useGet<SignedIns>(keyed ? "/me/sessions" : null);
  return (
    <>
      <div class="head"><h1>Account</h1></div>
      <Problem of={profile} />
      {mine && <ProfileForm profile={mine} changed={profile.reload} />}
      {mine && keyed && <Password profile={mine} changed={profile.reload} />}
      {keyed && known(profile) && <Sessions list={sessions} />}
      {known(profile) && session.value?.auth === "open" && <p class="quiet">This gateway asks nobody to sign in: whoever reaches it is this person.</p>}
    </>
  );
}

function ProfileForm({ profile, changed }: { readonly profile: Profile; readonly changed: () => void }) {
  const [saved, setSaved] = useState(false);
  const send = async (form: FormData): Promise<void> => {
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    const body: Record<string, string> = {};
    if (text("name") !== profile.name) body["name"] = text("name");
    if (text("timezone") !== profile.timezone) body["timezone"] = text("timezone");
    if (profile.email === null && text("email")) body["email"] = text("email");
    if (Object.keys(body).length > 0) await sendJson("PATCH", "/me", body);
    setSaved(true);
    await loadSession();
    changed();
  };
  return (
    <section class="card narrow">
      <h2>Profile</h2>
      <Form label="Save profile" send={send}>
        <label>Name <input name="name" defaultValue={profile.name} maxLength={200} required dir="auto" autocomplete="name" /></label>
        {profile.email === null
          ? <label>E-mail <input name="email" type="email" autocomplete="email" /><small>Can be set once. With it and a password one signs in without a link.</small></label>
          : <p class="quiet">{profile.email}</p>}
        <label>Time zone <input name="timezone" defaultValue={profile.timezone} placeholder={Intl.DateTimeFormat().resolvedOptions().timeZone} list="zones" autocomplete="off" /><small>Empty: the browser's.</small></label>
        <datalist id="zones">{Intl.supportedValuesOf("timeZone").map((one) => <option key={one} value={one} />)}</datalist>
        <p class="quiet">Platform role: {profile.platform_role}</p>
        {saved && <p role="status">Saved.</p>}
      </Form>
    </section>
  );
}

function Password({ profile, changed }: { readonly profile: Profile; readonly changed: () => void }) {
  const [set, setSet] = useState(false);
  const send = async (form: FormData): Promise<void> => {
    await sendJson("POST", "/me/password", { current_password: String(form.get("current_password") ?? "") || null, new_password: String(form.get("new_password")) });
    setSet(true);
    changed();
  };
  return (
    <section class="card narrow">
      <h2>Password</h2>
      <Form label="Set password" send={send}>
        {profile.has_password && <label>Present one <input name="current_password" type="password" autocomplete="current-password" /></label>}
        <label>New one <input name="new_password" type="password" autocomplete="new-password" required minLength={12} maxLength={1000} /><small>12 characters or more.</small></label>
        {set && <p role="status">Set. Other sessions have ended.</p>}
      </Form>
    </section>
  );
}

function Sessions({ list }: { readonly list: Loaded<SignedIns> }) {
  const end = async (id: string): Promise<void> => {
    await sendJson("DELETE", `/me/sessions/${id}`);
    list.reload();
  };
  return (
    <section class="card narrow">
      <h2>Where you are signed in</h2>
      <Problem of={list} />
      {list.data?.data.length === 0 && <Empty>Nowhere else.</Empty>}
      <ul class="list">
        {list.data?.data.map((one) => (
          <li key={one.id}>
            <span><b>{one.current ? "This browser" : one.address}</b> <small class="quiet">{one.user_agent.slice(0, 80)} · since {moment(one.created_at)}, seen {ago(one.last_seen_at)}</small></span>
            {!one.current && <Confirmed label="End session" question={`Signs out ${one.address}.`} run={() => end(one.id)} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
