"""Finds what a `$ref` inside a JSON Schema points at."""

from collections.abc import Mapping
from urllib.parse import unquote


class References:
    """The definitions of one document: by pointer, by `$anchor` and by `$id`. Nothing is ever fetched."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root

    def target(self, reference: str) -> object:
        """An empty schema, which is any value, for what is not in the document."""
        address, _, fragment = reference.partition("#")
        if fragment.startswith("/"):
            return self._pointed(unquote(fragment))
        if not address and not fragment:
            return self._root
        named = self._named(self._root, fragment, address)
        return {} if named is None else named

    def _pointed(self, pointer: str) -> object:
        found: object = self._root
        for step in pointer[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(name)
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return {}
        return {} if found is None else found

    def _named(self, node: object, anchor: str, address: str) -> object | None:
        pending = [node]
        while pending:
            found = pending.pop()
            if isinstance(found, Mapping):
                if anchor and anchor in {found.get("$anchor"), found.get("$dynamicAnchor")}:
                    return found
                if address and not anchor and address in {found.get("$id"), found.get("id")}:
                    return found
                pending.extend(found.values())
            elif isinstance(found, list):
                pending.extend(found)
        return None
