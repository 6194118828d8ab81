"""`/__sim__/…`: tests put scripts in and read the journal out."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrypoints.simulator.errors import ScriptInvalid
from entrypoints.simulator.journal import Journal
from entrypoints.simulator.script import Persona, ScriptPlayer, parse_persona, parse_script

Answer = tuple[int, object]
"""Status and JSON value."""


class ControlRequest(msgspec.Struct, frozen=True):
    """One control request; `route` is what follows `/__sim__/`."""

    method: str
    route: str
    query: Mapping[str, str]
    body: bytes


def control(player: ScriptPlayer, journal: Journal, request: ControlRequest) -> Answer:
    """Serve one control request."""
    resource, _, name = request.route.strip("/").partition("/")
    body = request.body
    match request.method, resource, name:
        case "GET", "health", "":
            return 200, {"status": "ok"}
        case "GET", "requests", "":
            return 200, {"data": journal.shown(request.query.get("persona"))}
        case "DELETE", "requests", "":
            journal.clear()
            return 200, {"data": []}
        case "GET", "script", "":
            return 200, {"personas": {name: _shown(persona) for name, persona in player.script.items()}}
        case "DELETE", "script", "":
            player.replace({})
            return 200, {"personas": {}}
        case "PUT", "script", "":
            return _accepted(lambda: player.replace(parse_script(body.decode())))
        case "PUT", "script", persona:
            return _accepted(lambda: player.replace_persona(persona, parse_persona(body.decode())))
        case _:
            return 404, _problem(
                f"no control route {request.method} /__sim__/{request.route}; docs/simulator.md lists them"
            )


def _accepted(change: Callable[[], None]) -> Answer:
    try:
        change()
    except (ScriptInvalid, UnicodeDecodeError) as error:
        return 400, _problem(str(error))
    return 200, {"status": "ok"}


def _problem(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": "invalid_script"}}


def _shown(persona: Persona) -> Any:
    return msgspec.to_builtins(persona) | {"require_key": persona.require_key is not False}
