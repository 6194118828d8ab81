"""LiteLLM's teams and users as tenants, users and members."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from adapters.litellm.allowances import Allowances
from adapters.litellm.routes import Routes
from adapters.litellm.source import Source
from adapters.litellm.values import Fields, Notes, listed, mapping, text, texts

_PLATFORM: Final[Mapping[str, str]] = {"proxy_admin": "admin", "proxy_admin_viewer": "auditor"}
_ROLES: Final[Mapping[str, str]] = {"admin": "admin", "user": "member", "org_admin": "admin"}
_RANK: Final = ("viewer", "member", "admin")
MAX_TAGS: Final = 16


class People:
    """Tenants by the team's id, users by LiteLLM's id, and members by both."""

    def __init__(self, source: Source, allowances: Allowances, routes: Routes, notes: Notes) -> None:
        self._source = source
        self._allowances = allowances
        self._routes = routes
        self._notes = notes
        self.emails: dict[str, str] = {}
        self.users: dict[str, dict[str, object]] = {}
        self.user_rows: dict[str, Fields] = {}
        self.tenants: dict[str, dict[str, object]] = {}
        self.members: dict[tuple[str, str], dict[str, object]] = {}
        self._read_users()
        self._read_teams()
        self._note_organizations()

    def tenant(self, team_id: str) -> str | None:
        """The name of a team's tenant."""
        found = self.tenants.get(team_id)
        return None if found is None else str(found["name"])

    def make_member(self, team_id: str, user_id: str) -> None:
        """Somebody who has a key in the team: at least a member, or the key would not work."""
        email, tenant = self.emails[user_id], self.tenant(team_id)
        member = self.members.setdefault((team_id, email), {"tenant_id": tenant, "email": email, "role": "member"})
        if member["role"] == "viewer":
            member["role"] = "member"

    def _read_users(self) -> None:
        for row in self._source.rows("UserTable"):
            user_id, email = text(row.get("user_id")), text(row.get("user_email")).lower()
            whose = f"user {email or user_id}"
            self.user_rows[user_id] = row
            if "@" not in email:
                self._notes.add(whose, "there is no e-mail address, and a user has one here")
                continue
            self.emails[user_id] = email
            if email in self.users:
                self._notes.add(
                    whose, f"another user has this address: they are one here, and '{user_id}' has no own budget"
                )
                continue
            user: dict[str, object] = {"email": email, "name": text(row.get("user_alias"))[:200]}
            user["platform_role"] = _PLATFORM.get(text(row.get("user_role")), "none")
            user |= _given(limits=self._allowances.limits(row, whose), budgets=self._allowances.budgets(row, whose))
            self.users[email] = user
            if row.get("password"):
                self._notes.add(whose, "the password is not carried: 'omg users invite' makes a link")
            if row.get("sso_user_id"):
                self._notes.add(whose, "there is no issuer beside sso_user_id: the first sign-in links by the address")

    def _read_teams(self) -> None:
        rows = self._source.rows("TeamTable")
        names = Counter(text(row.get("team_alias")) for row in rows)
        for row in rows:
            team_id, alias = text(row.get("team_id")), text(row.get("team_alias"))
            name = alias if alias and names[alias] == 1 and alias != "Default" else f"{alias or 'Team'} ({team_id})"
            whose = f"team {name}"
            metadata = mapping(row.get("metadata"))
            groups = self._allowances.access_groups(row.get("access_group_ids"))
            tenant: dict[str, object] = {"name": name[:200], "external_id": team_id}
            tenant["status"] = "suspended" if row.get("blocked") else "active"
            tenant["allowed_models"] = self._allowances.models([*texts(row.get("models")), *groups], whose)
            tenant |= _given(limits=self._allowances.limits(row, whose), budgets=self._allowances.budgets(row, whose))
            tenant["tags"] = tags_of(metadata)
            self.tenants[team_id] = tenant
            self._read_members(row, team_id, name)
            self._read_aliases(row, whose)
            self._note_the_rest(row, metadata, whose)

    def _read_members(self, team: Fields, team_id: str, name: str) -> None:
        given = [mapping(each) for each in listed(team.get("members_with_roles"))]
        known = {text(each.get("user_id")) for each in given}
        given += [{"role": "user", "user_id": each} for each in texts(team.get("members")) if each not in known]
        default = text(mapping(team.get("metadata")).get("team_member_budget_id"))
        memberships = {
            text(row.get("user_id")): row
            for row in self._source.rows("TeamMembership")
            if text(row.get("team_id")) == team_id
        }
        for each in given:
            user_id = text(each.get("user_id"))
            email = self.emails.get(user_id) or text(each.get("user_email")).lower()
            if "@" not in email:
                self._notes.add(f"member {user_id} of team {name}", "there is no e-mail address")
                continue
            if email not in self.users:
                self.users[email] = {"email": email}
                self.emails[user_id] = email
            viewer = text(self.user_rows.get(user_id, {}).get("user_role")) == "internal_user_viewer"
            role = "viewer" if viewer else _ROLES.get(text(each.get("role")), "member")
            budget_id = text(memberships.get(user_id, {}).get("budget_id")) or default
            row = {"budget_id": budget_id}
            whose = f"member {email} of team {name}"
            member: dict[str, object] = {"tenant_id": name[:200], "email": email, "role": role}
            member |= _given(limits=self._allowances.limits(row, whose), budgets=self._allowances.budgets(row, whose))
            if texts(self._source.budget(budget_id).get("allowed_models")):
                self._notes.add(f"allowed_models of {whose}", "a member has none here: give their keys a list")
            before = self.members.setdefault((team_id, email), member)
            if _RANK.index(str(before["role"])) < _RANK.index(role):
                before["role"] = role

    def _read_aliases(self, team: Fields, whose: str) -> None:
        row = next((each for each in self._source.rows("ModelTable") if each.get("id") == team.get("model_id")), {})
        for alias, name in mapping(row.get("aliases") or row.get("model_aliases")).items():
            self._routes.add_alias(alias, text(name), whose)

    def _note_the_rest(self, team: Fields, metadata: Fields, whose: str) -> None:
        there = [name for name in ("guardrails", "logging", "disable_global_guardrails") if metadata.get(name)]
        there += [name for name in ("router_settings", "team_member_permissions", "object_permission_id", "policies")
                  if team.get(name) not in (None, "", [], {}, "{}", "[]")]  # fmt: skip
        if there:
            self._notes.add(f"{', '.join(there)} of {whose}", "not carried")

    def _note_organizations(self) -> None:
        for row in self._source.rows("OrganizationTable"):
            name = text(row.get("organization_alias")) or text(row.get("organization_id"))
            self._notes.add(
                f"organization {name}",
                "teams are tenants here and nothing is above them: its budget, limits and lists are not carried",
            )
        for row in self._source.rows("ProjectTable"):
            name = text(row.get("project_alias")) or text(row.get("project_id"))
            self._notes.add(
                f"project {name}",
                "there are no projects here: its lists and limits are not carried, its name is a tag of its keys",
            )


def tags_of(metadata: Fields) -> list[str]:
    """Those that could stand in a header."""
    wanted = [each.strip()[:64] for each in texts(metadata.get("tags"))]
    return list(dict.fromkeys(each for each in wanted if each and "," not in each and each.isprintable()))[:MAX_TAGS]


def _given(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value}
