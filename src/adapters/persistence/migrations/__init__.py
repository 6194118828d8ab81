"""The schema's history. Alembic reads this folder; nothing here is imported on an up-to-date database."""

REVISIONS = tuple(f"{number:04d}" for number in range(1, 36))
"""Every revision, oldest first. The last one is the schema the tables describe."""

HEAD = REVISIONS[-1]

RELEASED: dict[str, str] = {}
"""The last revision of each release, by its tag, oldest first: a line more with each. What one of them uses may be
taken away by the next at the earliest (docs/updates.md). Before the first, every revision counts as one."""
