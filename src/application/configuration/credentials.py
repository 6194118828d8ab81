"""Credentials as people and containers really write them into variables.

With the quotes that `docker --env-file` keeps, the white space that a secret store adds, the `Bearer` that was pasted
along, several in one variable or in numbered ones; and the placeholders of example files, which are none.
"""

import re
from collections.abc import Mapping

from domain.secrets import Secret

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’"}
_BEARER = re.compile(r"(?:Authorization:\s*)?Bearer\s+", re.IGNORECASE)
_LAST_NUMBER = 99

_PLACEHOLDER = re.compile(
    r"""
      <.*> | \[.*\] | \{\{.*\}\} | \$\{.*\} | \$\w+ | %\w+%              # <your key>, ${OPENAI_API_KEY}
    | [x*.…_-]+ | (?:[a-z0-9]{2,10}[-_])+(?:[x*.]{2,}|…+)                      # xxxx, sk-…, sk-proj-xxxx
    | change[-_ ]?(?:me|this|it) | replace[-_ ]?(?:me|this|it) | (?:fill|put)[-_ ]?(?:me|this|it)?[-_ ]?(?:in|here)
    | todo | tbd | fixme | placeholder | none | null | undefined | empty
    | (?:my|the|an?|some|enter|insert|put|paste|add|set)?[-_ ]?(?:api|secret|access)?[-_ ]?(?:key|token)(?:[-_ ]here)?
    | (?:.*[-_ ])?(?:your|insert|enter|paste|replace)[-_ ].*
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def unquoted(value: str) -> str:
    """The value without the white space and the quotes around it."""
    text = value.strip().strip("\ufeff\u200b").strip()
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def is_placeholder(value: str) -> bool:
    """Whether a value stands where a credential is still to be written: `your-api-key`, `sk-xxxx`, `<key>`."""
    return _PLACEHOLDER.fullmatch(value) is not None


def numbered(name: str) -> tuple[str, ...]:
    """The variables that hold the credentials of `name`: itself, then `…_2`, `…_3` and so on."""
    return (name, *(f"{name}_{number}" for number in range(2, _LAST_NUMBER + 1)))


def credentials(variables: Mapping[str, str], name: str) -> tuple[Secret, ...]:
    """Each credential that a variable and the numbered ones behind it hold, in their order, placeholders left out."""
    found = [
        value for each in numbered(name) for value in _written(variables.get(each, "")) if not is_placeholder(value)
    ]
    return tuple(map(Secret, dict.fromkeys(found)))


def placeholders(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Those of the same variables that hold a placeholder."""
    return tuple(each for each in numbered(name) if any(map(is_placeholder, _written(variables.get(each, "")))))


def _written(value: str) -> list[str]:
    """The credentials in a value: one JSON object, or words with commas between them."""
    whole = unquoted(value)
    parts = [whole] if whole.startswith("{") and not whole.startswith("{{") else whole.split(",")
    return [text for part in parts if (text := unquoted(_BEARER.sub("", unquoted(part), count=1)))]
