"""Media types as they are registered: clients write `image/jpg` and `IMAGE/PNG`, and some targets refuse both."""

from typing import Final

_REGISTERED: Final = {
    "image/jpg": "image/jpeg",
    "image/jpe": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-webp": "image/webp",
    "image/x-gif": "image/gif",
}
_HEAD_CHARS: Final = 64
_MAGIC: Final = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
"""How the base64 of an image begins. What is another than it says is refused by its name ("Image does not match the
provided media type", anthropics/claude-code#11975 and others)."""


def registered(media_type: str) -> str:
    """The type in lower case, under its registered name. Example: `image/JPG` becomes `image/jpeg`."""
    lower = media_type.strip().lower()
    return _REGISTERED.get(lower, lower)


def true_type(media_type: str, base64: str) -> str:
    """The type that an image's first bytes tell, else the registered name of the one it says."""
    known = registered(media_type)
    if not known.startswith("image/"):
        return known
    return next((found for begun, found in _MAGIC.items() if base64.startswith(begun)), known)


def is_odd_data_url(url: str) -> bool:
    """Whether it is a data URL of an image whose type is written otherwise, or is another."""
    head = url[: 2 * _HEAD_CHARS]
    return canonical_data_url(head) != head


def canonical_data_url(url: str) -> str:
    """The URL with the type of its image as registered; any other URL as it is."""
    media_type = _type_in(url)
    if media_type is None or not media_type.strip().lower().startswith("image/"):
        return url
    comma = url.find(",")
    found = true_type(media_type, url[comma + 1 : comma + 17])
    return url if found == media_type and url.startswith("data:") else f"data:{found}{url[5 + len(media_type) :]}"


def _type_in(url: str) -> str | None:
    if url[:5].lower() != "data:":
        return None
    head = url[5:_HEAD_CHARS]
    ends = [at for at in (head.find(";"), head.find(",")) if at >= 0]
    return head[: min(ends)] if ends else None
