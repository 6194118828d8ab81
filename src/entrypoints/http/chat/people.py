"""Who is at the chat's routes: the person who is signed in, with the tenant that pays for what they ask here."""

from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide

from application.chat.people import Callers, Person
from domain.keys import Principal
from domain.tenants import RANK
from entrypoints.http.auth.people import Person as WhoAsks
from entrypoints.http.auth.people import PersonAuthenticator, asking, origin_in, require_person
from entrypoints.http.edge.exchange import Exchange

__all__ = ["PRESENT", "caller_of", "person_of", "present", "require_person"]


def present(request: Request[object, object, State]) -> Person:
    """The person that `require_person` let in: the dependency `person`."""
    return _in_chat(asking(request))


PRESENT = {"person": Provide(present, sync_to_thread=False)}
"""The `dependencies` of a controller of the chat."""


async def person_of(exchange: Exchange) -> Person:
    """The same for a route that the edge serves. Raises `Unauthenticated`, `PermissionDenied`."""
    people = await exchange.services.container.get(PersonAuthenticator)
    return _in_chat(await people.person(exchange.scope, origin_in(exchange.scope, exchange.request_id)))


async def caller_of(exchange: Exchange, person: Person) -> Principal:
    """As whom they ask a model. Raises `PermissionDenied`, also for an address the tenant does not allow."""
    callers = await exchange.services.container.get(Callers)
    principal = await callers.principal(person)
    if principal.grants is not None:
        principal.grants.require_use(exchange.address, "inference")
    return principal


def _in_chat(who: WhoAsks) -> Person:
    """The personal tenant pays, where there is none the only one in which they may spend."""
    others = [tenant_id for tenant_id, role in who.actor.roles.items() if RANK[role] >= RANK["member"]]
    only = others[0] if len(others) == 1 else ""
    return Person(who.user.id, who.user.personal_tenant_id or only)
