"""The schema's history. Alembic reads this folder; nothing here is imported on an up-to-date database."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every revision, oldest first. The last one is the schema the tables describe."""

HEAD = REVISIONS[-1]
