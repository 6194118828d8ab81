"""The person of a new installation: whom the first link signs in, and who `OMG_AUTH=open` takes everybody for."""

from application.bootstrap import FIRST_USER_ID
from application.sign_in.sessions import Origin, actor_of
from domain.actors import Actor
from domain.errors import NotFound
from domain.ports.repositories import Store
from domain.users import User


class FirstUser:
    """Finds the first user. Raises `NotFound` where they were deleted, and `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, origin: Origin) -> tuple[User, Actor]:
        """The user, and as whom they act."""
        async with self._store.read() as unit:
            user_id = await unit.facts.get(FIRST_USER_ID)
            user = await unit.users.get(user_id) if user_id is not None else None
            if user is None or user.status != "active":
                raise NotFound("The first user of this installation was deleted or disabled: sign in as another admin.")
            return user, await actor_of(unit, user, origin)
