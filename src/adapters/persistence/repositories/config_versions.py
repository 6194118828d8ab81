"""The versions of the configuration's sections, in a table."""

from collections.abc import Mapping

from sqlalchemy import func, select
from typing_extensions import override

from adapters.persistence.announcements import CHANNEL
from adapters.persistence.tables import ConfigVersionRow
from adapters.persistence.work import Work, guarded, insert_into
from domain.configuration import Learned, Section
from domain.ports.repositories import ConfigVersionRepository


class SqlAlchemyConfigVersionRepository(ConfigVersionRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def load(self) -> Mapping[str, int]:
        found = await self._work.session.execute(select(ConfigVersionRow.section, ConfigVersionRow.version))
        return {row.section: row.version for row in found}

    @override
    @guarded
    async def bump(self, section: Section | Learned) -> int:
        session = self._work.session
        insert = insert_into(session, ConfigVersionRow).values(section=section.value, version=1)
        bumped = insert.on_conflict_do_update(
            index_elements=["section"], set_={"version": ConfigVersionRow.version + 1}
        ).returning(ConfigVersionRow.version)
        version = int((await session.execute(bumped)).scalar_one())
        if session.get_bind().dialect.name == "postgresql":  # heard by others when this unit commits
            await session.execute(select(func.pg_notify(CHANNEL, section.value)))
        return version
