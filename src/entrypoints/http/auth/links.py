"""Where one-time links lead: pages of the public URL, with the token behind `#`, which no browser sends anywhere."""

from domain.secrets import Secret


class PublicAddress:
    """The gateway's address as people reach it, without a trailing slash."""

    def __init__(self, address: str) -> None:
        self._address = address

    def page(self, path: str) -> str:
        """One of our pages, by its path."""
        return f"{self._address}{path}"

    def link(self, secret: Secret) -> str:
        """Signs in who opens it."""
        return f"{self._address}/app/#/link/{secret.reveal()}"

    def invite(self, secret: Secret) -> str:
        """Lets who opens it set a name and a password."""
        return f"{self._address}/app#/invite/{secret.reveal()}"
