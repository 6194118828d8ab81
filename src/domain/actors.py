"""Who acts on the gateway's configuration: told apart from who asks for inference, which is a `Principal`."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from domain.tenants import Role
from domain.users import PlatformRole

ActingRole = PlatformRole | Literal["accountant"]
"""What one is to the whole platform: as a user, or as a token, which may also be for usage alone (`accountant`)."""


class Actor(msgspec.Struct, frozen=True):
    """Who makes a change, as the audit names them, and what they are here: what follows is in `domain.authority`.

    `Actor("admin_token", "platform", "platform admin token", platform_role="admin")`. `roles` are by the tenant's id,
    of members and of tokens for one tenant. There is no default actor: a use case takes it from whoever authenticated
    the request. `address` and `request_id` say from where and by which request; what acts by itself has neither.
    `seen` are the versions of the object that they may have decided upon: a change is made to one of these, or to any
    where there is none.
    """

    kind: Literal["admin_token", "user", "system", "anonymous"]
    id: str
    name: str
    address: str = ""
    request_id: str = ""
    platform_role: ActingRole = "none"
    roles: Mapping[str, Role] = {}
    user_id: str | None = None
    seen: tuple[str, ...] = ()


PLATFORM_ADMIN = Actor("admin_token", "platform", "platform admin token", platform_role="admin")
"""Whoever holds the one token of `OMG_ADMIN_TOKEN`, or the one that the first start printed."""

NOBODY = Actor("anonymous", "", "")
"""Whoever was refused before it was known who they are. Nobody changes anything: no use case is ever given this one."""

SYSTEM = Actor("system", "gateway", "the gateway itself")
"""What the gateway does by itself: the first start, and what its settings say at a start."""

CONFIGURATION = Actor("system", "configuration", "the configuration as a document", platform_role="admin")
"""Whoever applies a document at the machine of the gateway: by the command line, or by the settings file at a start."""
