"""Looks for words in names as the databases do."""


def mentioned(query: str | None, *texts: str | None) -> bool:
    """Whether `query` is in one of them, whatever the case; nothing is in anything."""
    return not query or any(query.lower() in (text or "").lower() for text in texts)
