"""Whom and what a request is for, beside its key: tags, the end user behind the client, the session."""

import msgspec


class Attribution(msgspec.Struct, frozen=True, array_like=True):
    """As it lies on the record. Empty is none; `user_id` is whose key it was. New fields go last, with a default."""

    user_id: str | None = None
    tags: tuple[str, ...] = ()
    end_user: str = ""
    session: str = ""
    device: str = ""


UNATTRIBUTED = Attribution()
