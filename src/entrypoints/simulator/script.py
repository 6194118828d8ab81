"""The script: which persona answers what, in which order, read from YAML or JSON."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from entrypoints.simulator.behaviour import Behaviour, behaviour_from
from entrypoints.simulator.errors import ScriptInvalid
from entrypoints.simulator.model_names import LISTED_MODELS, is_simulated, understand

DEFAULT_PERSONA = "default"
"""The persona that answers at `/v1` with no name before it."""

ANY_MODEL = "*"


class ListedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model of a persona's list, as its `/v1/models` shows it."""

    id: str
    created: int = 1_700_000_000
    owned_by: str = "simulator"
    context_window: int | None = None


class Persona(msgspec.Struct, frozen=True):
    """One simulated provider.

    `require_key` is True for any bearer key and a string for that very key; others get 401. With `models`
    set, only these, the scripted ones and `sim-…` names exist, and any other is a 404.
    """

    behaviours: Mapping[str, tuple[Behaviour, ...]]
    models: tuple[ListedModel, ...] | None = None
    require_key: bool | str = False

    def listed(self) -> tuple[ListedModel, ...]:
        """What `/v1/models` shows."""
        if self.models is not None:
            return self.models
        scripted = (name for name in self.behaviours if name != ANY_MODEL)
        return tuple(ListedModel(id=name) for name in dict.fromkeys((*scripted, *LISTED_MODELS)))

    def serves(self, model: str) -> bool:
        """Whether a model of this name exists here."""
        if self.models is None or model in self.behaviours or ANY_MODEL in self.behaviours:
            return True
        return is_simulated(model) or any(listed.id == model for listed in self.models)


Script = Mapping[str, Persona]

EMPTY_PERSONA = Persona(behaviours={})


class ScriptPlayer:
    """Plays a script: hands out each model's behaviours in order, and the last one for ever."""

    def __init__(self, script: Script | None = None) -> None:
        self._personas: dict[str, Persona] = dict(script or {})
        self._turns: dict[tuple[str, str], Iterator[Behaviour]] = {}

    @property
    def script(self) -> Script:
        """What is being played."""
        return self._personas

    def replace(self, script: Script) -> None:
        """Begin another script from its start."""
        self._personas = dict(script)
        self._turns.clear()

    def replace_persona(self, name: str, persona: Persona) -> None:
        """Begin one persona's part anew and leave the others where they are."""
        self._personas[name] = persona
        for turn in [turn for turn in self._turns if turn[0] == name]:
            del self._turns[turn]

    def persona(self, name: str) -> Persona:
        """Unknown personas behave as the model names say."""
        return self._personas.get(name, EMPTY_PERSONA)

    def next(self, persona: str, model: str) -> Behaviour:
        """What to do with the next request. Raises `ScriptInvalid` for an unknown `sim-` directive."""
        behaviours = self.persona(persona).behaviours
        name = model if model in behaviours else ANY_MODEL
        if name not in behaviours:
            return understand(model) or Behaviour()
        turn = self._turns.setdefault((persona, name), _in_order(behaviours[name]))
        return next(turn)


def _in_order(behaviours: tuple[Behaviour, ...]) -> Iterator[Behaviour]:
    for behaviour in behaviours[:-1]:
        yield from (behaviour for _ in range(behaviour.times))
    while True:
        yield behaviours[-1]


def parse_script(text: str) -> Script:
    """Read a whole script. Raises `ScriptInvalid` naming the line and the field."""
    value, node = _load(text)
    try:
        fields = _mapping(value, "", ("personas",))
        personas = _mapping(fields.get("personas", {}), ".personas")
        return {name: _persona(part, f".personas.{name}") for name, part in personas.items()}
    except ScriptInvalid as error:
        raise ScriptInvalid(error.message, error.path, _line_of(node, error.path)) from error


def parse_persona(text: str) -> Persona:
    """Read one persona's part. Raises `ScriptInvalid` naming the line and the field."""
    value, node = _load(text)
    try:
        return _persona(value, "")
    except ScriptInvalid as error:
        raise ScriptInvalid(error.message, error.path, _line_of(node, error.path)) from error


def _load(text: str) -> tuple[Any, yaml.Node | None]:
    try:
        return yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ScriptInvalid(f"{error.problem}", line=mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ScriptInvalid(str(error)) from error


def _persona(value: Any, path: str) -> Persona:
    fields = _mapping(value, path, ("behaviours", "models", "require_key"))
    behaviours = _mapping(fields.get("behaviours", {}), f"{path}.behaviours")
    require_key = fields.get("require_key", False)
    if not isinstance(require_key, bool | str):
        raise ScriptInvalid("is true, false or the key itself", f"{path}.require_key")
    return Persona(
        behaviours={model: _behaviours(part, f"{path}.behaviours.{model}") for model, part in behaviours.items()},
        models=_models(fields.get("models"), f"{path}.models"),
        require_key=require_key,
    )


def _models(value: Any, path: str) -> tuple[ListedModel, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise ScriptInvalid("is a list of model ids or of objects with an `id`", path)
    named = [{"id": model} if isinstance(model, str) else model for model in value]
    try:
        return msgspec.convert(tuple(named), tuple[ListedModel, ...])
    except msgspec.ValidationError as error:
        message, _, inner = str(error).partition(" - at `$")
        raise ScriptInvalid(message, path + inner.rstrip("`")) from error


def _behaviours(value: Any, path: str) -> tuple[Behaviour, ...]:
    steps = value if isinstance(value, list) else [value]
    if not steps:
        raise ScriptInvalid("needs at least one behaviour", path)
    return tuple(_behaviour(step, f"{path}[{index}]") for index, step in enumerate(steps))


def _behaviour(value: Any, path: str) -> Behaviour:
    fields = {"like": value} if isinstance(value, str) else _mapping(value, path)
    try:
        return behaviour_from(_fields_like(fields.get("like")) | {k: v for k, v in fields.items() if k != "like"})
    except ScriptInvalid as error:
        raise error.under(path) from error


def _fields_like(name: Any) -> dict[str, Any]:
    if name is None:
        return {}
    behaviour = understand(name) if isinstance(name, str) else None
    if behaviour is None:
        raise ScriptInvalid(f"'{name}' is no simulator model name such as 'sim-429'", ".like")
    fields: dict[str, Any] = msgspec.to_builtins(behaviour)
    return fields


def _mapping(value: Any, path: str, known: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScriptInvalid(f"is an object, not {type(value).__name__}", path or ".script")
    for key in value:
        if not isinstance(key, str):
            raise ScriptInvalid(f"keys are text; put {key!r} in quotes", path or ".script")
        if known is not None and key not in known:
            raise ScriptInvalid(f"unknown field '{key}'; known are {', '.join(known)}", f"{path}.{key}")
    return value


_STEP = re.compile(r"\[(\d+)\]")


def _line_of(node: yaml.Node | None, path: str) -> int | None:
    """The line of the deepest node on the path. Names with dots are tried whole, longest first."""
    while node is not None and path:
        index = _STEP.match(path)
        if index and isinstance(node, yaml.SequenceNode) and int(index[1]) < len(node.value):
            node, path = node.value[int(index[1])], path[index.end() :]
            continue
        if not isinstance(node, yaml.MappingNode):
            break
        fits = [(k, v) for k, v in node.value if re.match(rf"\.{re.escape(k.value)}(?=[.\[]|$)", path)]
        if not fits:
            break
        key, node = max(fits, key=lambda pair: len(pair[0].value))
        path = path[len(key.value) + 1 :]
        if not path:
            return int(key.start_mark.line) + 1
    return int(node.start_mark.line) + 1 if node is not None else None
