"""What the authorization matrix is tried on: two tenants with people of every role, credentials of every kind, and of
each kind of object an own one, a colleague's, a foreign one and one that is not there."""

import json
import re
from typing import Any, Final

import msgspec

from application.admin.admin_tokens import NewAdminToken
from application.admin.members import NewMember
from application.admin.tenants import NewTenant, TenantChange
from application.admin.users import NewUser, UserChange
from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from application.bootstrap import FIRST_USER_ID
from application.sign_in.sessions import Origin
from domain.alerts import Alert, AlertDelivery, AlertSubject
from domain.attribution import Attribution
from domain.conversations import Conversation, Picture, Template
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key
from domain.tenants import Role
from domain.users import PlatformRole, User
from tests.builders import NOW, a_request_record
from tests.fakes.administration import ACTOR
from tests.fakes.store import Rows
from tests.integration.admin_app import ADMIN_TOKEN, AdminApp
from tests.integration.asgi_asking import ask

A: Final = "ten_default"
"""The tenant of most; the other one is `foreign_tenant` of the scene."""

PASSWORD: Final = "correct horse battery"

ROLES: dict[str, Role] = {"owner": "owner", "admin": "admin", "member": "member", "viewer": "viewer"}
PLATFORM: dict[str, PlatformRole] = {"auditor": "auditor", "platform admin": "admin"}

SIGNED_IN: Final = (*ROLES, "outsider", *PLATFORM)
"""People with a session; `outsider` is in no shared tenant. `colleague` is a member of `A`, `stranger` the owner of the
foreign tenant."""

POSITIONS: Final = ("own", "colleague's", "foreign", "nobody's")

_OWNERS: Final = {"colleague's": "colleague", "foreign": "stranger"}


class Scene:
    """`app` and all that is in it. `put_back` undoes whatever a request has changed."""

    def __init__(self, app: AdminApp) -> None:
        self.app = app
        self.users: dict[str, User] = {}
        self.headers: dict[str, dict[str, str]] = {}  # of a session, by who it is of
        self.tokens: dict[str, str | None] = {}
        self.objects: dict[tuple[str, str], str] = {}  # kind and whose to id
        self.platform: dict[str, str] = {}  # of objects of the platform, by the path's parameter
        self.foreign_tenant = ""
        self._rows = Rows()
        self._chats: dict[str, Any] = {}

    @classmethod
    async def make(cls) -> "Scene":
        scene = cls(await AdminApp.make())
        await scene._people()
        await scene._platform()
        for who in (*SIGNED_IN, "colleague", "stranger"):
            await scene._belongings(who)
        await scene._tokens()
        for who in (*SIGNED_IN, "colleague", "stranger"):
            await scene._session(who)
        scene.remember()
        return scene

    def remember(self) -> None:
        """All as it is now is what `put_back` goes back to."""
        self._rows = self.app.fakes.store.remember()
        self._chats = {name: dict(table) for name, table in vars(self.app.chats).items()}

    async def put_back(self) -> None:
        fakes = self.app.fakes
        fakes.store.go_back(self._rows)
        for name, table in self._chats.items():
            setattr(self.app.chats, name, dict(table))
        fakes.authenticator.forget_all()
        await fakes.state.reload()

    def unchanged(self) -> bool:
        """Whether all is as it was, but what the gateway itself has learned of models meanwhile."""
        now = self.app.fakes.store.remember()
        now.offerings = self._rows.offerings
        return vars(now) == vars(self._rows) and self._chats == vars(self.app.chats)

    def id_of(self, kind: str, who: str, position: str) -> str | None:
        """The id of such an object, None where this person has none of their own."""
        if position == "nobody's":
            known = self.objects[kind, "stranger"]
            return re.sub(r"(?<=_)[^/]+", lambda found: "f" * len(found[0]), known)
        return self.objects.get((kind, who if position == "own" else _OWNERS[position]))

    def foreign_words(self) -> list[bytes]:
        """What nobody outside of the foreign tenant may ever read."""
        words = [id_ for (_, whose), id_ in self.objects.items() if whose == "stranger"]
        return [word.encode() for word in (*words, self.foreign_tenant, "stranger@example.org")]

    async def _people(self) -> None:
        fakes = self.app.fakes
        for who in (*SIGNED_IN, "colleague", "stranger", "disabled"):
            new = NewUser(email=f"{who.replace(' ', '.')}@example.org", name=who, status="active")
            self.users[who] = await fakes.users.create(ACTOR, new)
        async with fakes.store.write() as unit:
            for user in self.users.values():
                await unit.passwords.put(user.id, f"1/{PASSWORD}", NOW)
        await self._tenants()

    async def _tenants(self) -> None:
        fakes = self.app.fakes
        self.foreign_tenant = (await fakes.tenants.create(ACTOR, NewTenant(name="Foreign"))).id
        for who, role in (ROLES | {"colleague": "member", "disabled": "member"}).items():
            await fakes.members.add(ACTOR, A, NewMember(user_id=self.users[who].id, role=role))
        await fakes.members.add(ACTOR, self.foreign_tenant, NewMember(user_id=self.users["stranger"].id, role="owner"))
        for who, platform_role in PLATFORM.items():
            self.users[who] = await fakes.users.update(
                ACTOR, self.users[who].id, UserChange(platform_role=platform_role)
            )

    async def _belongings(self, who: str) -> None:
        """Of each kind one thing, in the tenant that this person belongs to."""
        fakes, user, id_ = self.app.fakes, self.users[who], f"a{len(self.objects):031}"
        shared = A if who in ("colleague", *ROLES) else self.foreign_tenant if who == "stranger" else None
        home = shared if shared is not None and who != "viewer" else user.personal_tenant_id
        key, _ = await fakes.virtual_keys.create(ACTOR, NewVirtualKey(tenant_id=home, owner_id=user.id))
        found = {"key": key.id, "user": user.id}
        if shared is not None:
            found |= {"tenant": shared, "member": f"{shared}/{user.id}"}
        record = a_request_record(f"req_{id_}", tenant_id=shared or home, key_id=key.id)
        fakes.usage.records.append(msgspec.structs.replace(record, attribution=Attribution(user.id, (), "", "")))
        await self.app.chats.save(Conversation(f"conv_{id_}", user.id, home or "", "Title", NOW, NOW, "m"))
        await self.app.chats.save_template(Template(f"tpl_{id_}", user.id, "Name", "Content", NOW, NOW))
        await self.app.chats.add_picture(Picture(f"file_{id_}", user.id, "image/png", b"PNG", NOW))
        found |= {"request": record.request_id, "decision": record.decision_id}
        found |= {"conversation": f"conv_{id_}", "template": f"tpl_{id_}", "file": f"file_{id_}"}
        self.objects |= {(kind, who): each for kind, each in found.items()}

    async def _session(self, who: str) -> None:
        """And a second one, to be ended from the first."""
        fakes = self.app.fakes
        async with fakes.store.write() as unit:
            other = await fakes.sessions.open(unit, self.users[who], "password", Origin())
            opened = await fakes.sessions.open(unit, self.users[who], "password", Origin())
        self.objects["session", who] = other.signed_in.session.id
        cookie = f"{self.app.cookie.name}={opened.secret.reveal()}"
        self.headers[who] = {"cookie": cookie, "x-omg-csrf": opened.signed_in.csrf_token}

    async def _platform(self) -> None:
        """One of each of its objects, by the API itself."""
        tag = {"kind": "tag", "id": "t"}
        for path, body, names in (
            ("/admin/providers", {"id": "alpha", "base_url": "https://alpha.example/v1"}, ("provider_id", "provider")),
            ("/admin/providers/alpha/keys", {"secret": "up-0123456789abcdef"}, ("key_id",)),
            ("/admin/models", {"provider": "alpha", "model": "m", "prices": {"input": "1", "output": "2"}}, ()),
            ("/admin/limits", {"subject": tag, "rpm": 5}, ("limit_id",)),
            ("/admin/budgets", {"subject": tag, "limit_usd": "5"}, ("budget_id",)),
            ("/admin/model-groups", {"name": "fast", "patterns": ["m"]}, ()),
            ("/admin/routes", {"alias": "fast", "targets": [{"model": "m"}]}, ()),
            ("/admin/tokens", {"scopes": ["read"]}, ("token_id",)),
            ("/admin/alerts/channels", {"kind": "webhook", "url": "https://alerts.example/x"}, ("channel_id",)),
            ("/admin/alerts/rules", {"event": "provider_down", "channels": ["CHANNEL"]}, ("alert_rule_id",)),
        ):
            headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
            text = json.dumps(body).replace("CHANNEL", self.platform.get("channel_id", ""))
            answer = await ask(self.app.app, "POST", path, headers, text.encode())
            assert answer.status in (200, 201), answer
            self.platform |= dict.fromkeys(names, json.loads(answer.body).get("id", ""))
        async with self.app.fakes.store.write() as unit:
            alert = Alert("alt_1", "test", NOW, AlertSubject("channel", "c", "c"), None, None, None, None, "A test.")
            channel_id = self.platform["channel_id"]
            await unit.alert_log.add([AlertDelivery("ald_1", alert, None, channel_id, "failed", 1, "", NOW, NOW)])
            self.platform["delivery_id"] = "ald_1"
            await unit.facts.put(FIRST_USER_ID, self.users["platform admin"].id)

    async def _tokens(self) -> None:
        fakes, keys = self.app.fakes, self.app.fakes.virtual_keys
        suspended = await fakes.tenants.create(ACTOR, NewTenant(name="Suspended"))
        disabled = self.users["disabled"].id
        wanted = {
            "a key": NewVirtualKey(scopes=("inference",)),
            "a key for usage": NewVirtualKey(scopes=("usage",)),
            "a key for nothing": NewVirtualKey(scopes=()),
            "another tenant's key": NewVirtualKey(tenant_id=self.foreign_tenant),
            "a revoked key": NewVirtualKey(),
            "an expired key": NewVirtualKey(),
            "a key of somebody disabled": NewVirtualKey(tenant_id=A, owner_id=disabled),
            "a suspended tenant's key": NewVirtualKey(tenant_id=suspended.id),
        }
        made = {name: await keys.create(ACTOR, new) for name, new in wanted.items()}
        await keys.revoke(ACTOR, made["a revoked key"][0].id)
        await keys.update(ACTOR, made["an expired key"][0].id, VirtualKeyChange(expires_at=NOW))
        await fakes.users.update(ACTOR, disabled, UserChange(status="disabled"))
        await fakes.tenants.update(ACTOR, suspended.id, TenantChange(status="suspended"))
        self.tokens = {name: secret.reveal() for name, (_, secret) in made.items()}
        verifier = fakes.verifier.tokens
        for name, groups in (
            ("a jwt", ["users"]),
            ("a viewer's jwt", ["guests"]),
            ("a jwt of no tenant", ["others"]),
            ("an expired jwt", ["users"]),
            ("a forged jwt", None),
        ):
            self.tokens[name] = token = f"eyJ{name.replace(' ', '-')}.e30.c2ln"
            if groups is not None:
                verifier[token] = {"sub": name, "groups": groups, "exp": 1 if "expired" in name else 4_000_000_000}
        self.tokens |= {
            "nobody": None,
            "a malformed key": made["a key"][1].reveal()[:-1] + "!",
            "an unknown key": generate_key(VIRTUAL_KEY_PREFIX).reveal(),
            "an unknown admin token": generate_key(ADMIN_TOKEN_PREFIX).reveal(),
            "the admin token": ADMIN_TOKEN,
        }
        for name, scopes, ends in (
            ("a token for all", ("all",), None),
            ("a token to read", ("read",), None),
            ("a token for usage", ("usage",), None),
            ("a tenant's token", (f"tenant:{A}",), None),
            ("an expired token", ("all",), NOW),
        ):
            new = NewAdminToken(scopes=scopes, expires_at=ends)
            self.tokens[name] = (await fakes.admin_tokens.create(ACTOR, new))[1].reveal()
