"""Shares a provider's calls among its keys by weight."""

from collections.abc import Sequence

from domain.keys import ProviderKey

MAX_REMEMBERED = 10_000


class KeyRotation:
    """Smooth weighted round-robin: of keys weighing 2 and 1, every three calls give the first two."""

    def __init__(self) -> None:
        self._credit: dict[str, int] = {}

    def ordered(self, keys: Sequence[ProviderKey]) -> Sequence[ProviderKey]:
        """The key whose turn it is, then the others by weight, for where it fails."""
        if len(keys) < 2:
            return keys
        if len(self._credit) > MAX_REMEMBERED:
            self._credit.clear()
        credit = self._credit
        for key in keys:
            credit[key.id] = credit.get(key.id, 0) + key.weight
        chosen = max(keys, key=lambda key: credit[key.id])
        credit[chosen.id] -= sum(key.weight for key in keys)
        others = sorted((key for key in keys if key is not chosen), key=lambda key: -key.weight)
        return [chosen, *others]
