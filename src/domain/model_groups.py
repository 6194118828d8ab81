"""Model groups: patterns of models under a name."""

from datetime import datetime

import msgspec


class ModelGroup(msgspec.Struct, frozen=True):
    """Lists of models can hold it as `@name`. Its patterns name models, and no other group."""

    name: str
    patterns: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
