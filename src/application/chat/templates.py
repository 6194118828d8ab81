"""Templates: a text with `{{name}}` fields, of which each is replaced by what was given for it, and nothing is run."""

import re
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from application.chat.people import Person
from domain.conversations import Template
from domain.errors import NotFound, RequestInvalid
from domain.ports.conversations import ChatStore
from domain.ports.runtime import Clock, IdFactory

_FIELD = re.compile(r"\{\{\s*([a-z_]{1,40})\s*\}\}")
MAX_TEMPLATES = 500


class TemplateChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change of a template; what is left out stays."""

    name: str | UnsetType = UNSET
    content: str | UnsetType = UNSET
    system: bool | UnsetType = UNSET


class Templates:
    """A person's templates."""

    def __init__(self, chats: ChatStore, ids: IdFactory, clock: Clock) -> None:
        self._chats = chats
        self._ids = ids
        self._clock = clock

    async def list_all(self, person: Person) -> Sequence[Template]:
        return await self._chats.templates(person.user_id)

    async def create(self, person: Person, name: str, content: str, *, system: bool = False) -> Template:
        """Raises `RequestInvalid`."""
        if len(await self.list_all(person)) >= MAX_TEMPLATES:
            raise RequestInvalid(f"There are {MAX_TEMPLATES} templates already; delete one first.")
        now = self._clock.now()
        template = Template(self._ids.new("tpl"), person.user_id, _checked(name), content, now, now, system)
        await self._chats.save_template(template)
        return template

    async def get(self, person: Person, template_id: str) -> Template:
        """Raises `NotFound`."""
        for template in await self.list_all(person):
            if template.id == template_id:
                return template
        raise NotFound(f"There is no template '{template_id}'.", param="template_id")

    async def change(self, person: Person, template_id: str, change: TemplateChange) -> Template:
        """Raises `NotFound`, `RequestInvalid`."""
        template = await self.get(person, template_id)
        fields = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        if "name" in fields:
            fields["name"] = _checked(fields["name"])
        template = msgspec.structs.replace(template, **fields, updated_at=self._clock.now())
        await self._chats.save_template(template)
        return template

    async def delete(self, person: Person, template_id: str) -> None:
        """Raises `NotFound`."""
        if not await self._chats.delete_template(person.user_id, template_id):
            raise NotFound(f"There is no template '{template_id}'.")


def fields_of(content: str) -> tuple[str, ...]:
    """The names of a text's fields, each once, in their order."""
    return tuple(dict.fromkeys(_FIELD.findall(content)))


def filled_in(content: str, values: Mapping[str, str]) -> str:
    """The text with its fields replaced (S-15). Raises `RequestInvalid` for one without a value."""
    for name in fields_of(content):
        if name not in values:
            raise RequestInvalid(
                f"The template needs a value for '{name}'.",
                code="missing_required_parameter",
                param=f"template_values.{name}",
            )
    return _FIELD.sub(lambda found: values[found[1]], content)


def _checked(name: str) -> str:
    if not 0 < len(name.strip()) <= 200:
        raise RequestInvalid("A template's name has 1 to 200 characters.", param="name")
    return name.strip()
