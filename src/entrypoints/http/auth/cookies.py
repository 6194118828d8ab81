"""The cookies of sign-in (contract 9): their names, how one is found in a request, how it is set and taken away."""

from collections.abc import Iterable


class HostCookie:
    """Over https it is `Secure` and its name has the prefix that no other host can set (`__Host-`).

    The name ends in the instance's id: cookies ignore ports, and two gateways on one host see each other's.
    """

    def __init__(self, purpose: str, instance_id: str, *, https: bool) -> None:
        self.name = f"{'__Host-' if https else ''}omg_{purpose}_{instance_id}"
        self.https = https
        self._attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if https else "")

    def find(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Its value, None where there is none, or more than one: then somebody has set one beside it."""
        name = self.name.encode()
        found: set[bytes] = set()
        for header, value in headers:
            if header == b"cookie":
                for pair in value.split(b";"):
                    key, _, text = pair.partition(b"=")
                    if key.strip() == name:
                        found.add(text.strip())
        return found.pop().decode("latin-1") if len(found) == 1 else None

    def setting(self, secret: str, seconds: int) -> str:
        """The `set-cookie` of what lives for so long."""
        return f"{self.name}={secret}; Max-Age={seconds}; {self._attributes}"

    def clearing(self) -> str:
        """The `set-cookie` that takes it away."""
        return f"{self.name}=; Max-Age=0; {self._attributes}"


class SessionCookie(HostCookie):
    """Says which session a browser has."""

    def __init__(self, instance_id: str, *, https: bool) -> None:
        super().__init__("session", instance_id, https=https)


class SignInCookie(HostCookie):
    """Holds, sealed, what a browser needs to come back from an issuer. `Lax` lets it come along on the way back."""

    def __init__(self, instance_id: str, *, https: bool) -> None:
        super().__init__("sign_in", instance_id, https=https)
