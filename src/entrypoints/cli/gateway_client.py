"""Calls a running gateway's admin API from the shell, with messages that say what to do."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from entrypoints.settings.documents import read_dotenv
from entrypoints.settings.model import SettingsError, is_loopback

DEFAULT_PORT = "8000"
PAGE = 100


class GatewayClient:
    """A gateway at a URL, as its admin. Raises `click.ClickException` (exit 1) with what the gateway said."""

    def __init__(self, url: str, token: str) -> None:
        import httpx

        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self._url,
            headers={"authorization": f"Bearer {token}"},
            timeout=30.0,
            trust_env=not is_loopback(httpx.URL(self._url).host),
        )

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """The decoded answer; None where it has no body."""
        import httpx

        try:
            answer = self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise click.ClickException(
                f"no gateway answers at {self._url} ({error}); "
                "start one with 'omg serve', or name it with --url or OMG_URL"
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        raise click.ClickException(self._reason(answer.status_code, answer.content))

    def items(
        self, path: str, query: Mapping[str, str] | None = None, at_most: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every object of a list, over all its pages, or the first so many."""
        cursor, left = "", at_most
        while left is None or left > 0:
            asked = {**(query or {}), "limit": str(min(PAGE, left or PAGE))} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", f"{path}?{urlencode(asked)}")
            yield from page["data"]
            left = None if left is None else left - len(page["data"])
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return

    def _reason(self, status: int, content: bytes) -> str:
        if status == 401:
            return f"{self._url} refused the admin token; set OMG_ADMIN_TOKEN to the one printed on its first start"
        try:
            import json

            error = json.loads(content)["error"]
            param = f" ({error['param']})" if error.get("param") else ""
            return f"{error['message']}{param}"
        except (ValueError, KeyError, TypeError):
            return f"{self._url} answered {status}, and not as a gateway does; is the URL right?"


def connect(url: str | None) -> GatewayClient:
    """The gateway of `--url`, `OMG_URL` or the local default, with the token of `OMG_ADMIN_TOKEN`."""
    values = read_dotenv(Path(".env")) | {name: value for name, value in os.environ.items() if value}
    token = values.get("OMG_ADMIN_TOKEN", "")
    if not token:
        raise SettingsError("OMG_ADMIN_TOKEN: not set; this command needs the admin token printed on the first start")
    return GatewayClient(
        url or values.get("OMG_URL") or f"http://127.0.0.1:{values.get('OMG_PORT', DEFAULT_PORT)}", token
    )


url_option = click.option("--url", help="The gateway's URL (OMG_URL, http://127.0.0.1:8000).")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
