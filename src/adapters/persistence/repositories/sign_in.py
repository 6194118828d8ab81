"""Sessions, one-time tokens, hashes of passwords and preferences in tables."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import CursorResult, Delete, delete, insert, or_, select, update
from typing_extensions import override

from adapters.persistence.tables import OneTimeTokenRow, PasswordRow, PreferencesRow, SessionRow
from adapters.persistence.work import Work, guarded, upsert
from domain.ports.sign_in import (
    OneTimeTokenRepository,
    PasswordRepository,
    PreferencesRepository,
    SessionRepository,
)
from domain.sign_in import OneTimeToken, Preferences, Session


class SqlAlchemySessionRepository(SessionRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def find(self, digests: Sequence[bytes]) -> Session | None:
        found = await self._work.session.execute(select(SessionRow).where(SessionRow.digest.in_(digests)))
        row = found.scalars().first()
        return None if row is None else _session(row)

    @override
    @guarded
    async def list_of(self, user_id: str) -> Sequence[Session]:
        wanted = select(SessionRow).where(SessionRow.user_id == user_id).order_by(SessionRow.id.desc())
        return [_session(row) for row in (await self._work.session.execute(wanted)).scalars()]

    @override
    @guarded
    async def add(self, session: Session) -> None:
        await self._work.session.execute(insert(SessionRow).values(msgspec.structs.asdict(session)))

    @override
    @guarded
    async def touch(self, session_id: str, seen_at: datetime, confirmed_at: datetime | None = None) -> None:
        values = {"last_seen_at": seen_at} | ({} if confirmed_at is None else {"confirmed_at": confirmed_at})
        await self._work.session.execute(update(SessionRow).where(SessionRow.id == session_id).values(values))

    @override
    @guarded
    async def delete(self, user_id: str, session_id: str) -> bool:
        return bool(
            await _count(
                self._work, delete(SessionRow).where(SessionRow.user_id == user_id, SessionRow.id == session_id)
            )
        )

    @override
    @guarded
    async def delete_all(self, user_id: str, but: str | None = None) -> int:
        others = [] if but is None else [SessionRow.id != but]
        return await _count(self._work, delete(SessionRow).where(SessionRow.user_id == user_id, *others))

    @override
    @guarded
    async def delete_ended(self, seen_before: datetime, now: datetime) -> int:
        over = or_(SessionRow.ends_at <= now, SessionRow.last_seen_at <= seen_before)
        ended = await _count(self._work, delete(SessionRow).where(over))
        return ended + await _count(self._work, delete(OneTimeTokenRow).where(OneTimeTokenRow.ends_at <= now))


class SqlAlchemyOneTimeTokenRepository(OneTimeTokenRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def add(self, token: OneTimeToken) -> None:
        await self._work.session.execute(insert(OneTimeTokenRow).values(msgspec.structs.asdict(token)))

    @override
    @guarded
    async def take(self, digests: Sequence[bytes], purpose: str) -> OneTimeToken | None:
        wanted = (OneTimeTokenRow.digest.in_(digests), OneTimeTokenRow.purpose == purpose)
        names = OneTimeToken.__struct_fields__
        taken = delete(OneTimeTokenRow).where(*wanted).returning(*(getattr(OneTimeTokenRow, name) for name in names))
        row = (await self._work.session.execute(taken)).first()
        return None if row is None else OneTimeToken(**row._asdict())

    @override
    @guarded
    async def delete_all(self, user_id: str) -> int:
        return await _count(self._work, delete(OneTimeTokenRow).where(OneTimeTokenRow.user_id == user_id))


class SqlAlchemyPasswordRepository(PasswordRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, user_id: str) -> str | None:
        found = await self._work.session.execute(select(PasswordRow.hash).where(PasswordRow.user_id == user_id))
        return found.scalar_one_or_none()

    @override
    @guarded
    async def put(self, user_id: str, hash_: str, at: datetime) -> None:
        row = {"user_id": user_id, "hash": hash_, "updated_at": at}
        await upsert(self._work.session, PasswordRow, [row])

    @override
    @guarded
    async def delete(self, user_id: str) -> bool:
        return bool(await _count(self._work, delete(PasswordRow).where(PasswordRow.user_id == user_id)))


class SqlAlchemyPreferencesRepository(PreferencesRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, user_id: str) -> Preferences:
        found = await self._work.session.execute(select(PreferencesRow).where(PreferencesRow.user_id == user_id))
        row = found.scalar_one_or_none()
        if row is None:
            return Preferences()
        return msgspec.convert({name: getattr(row, name) for name in Preferences.__struct_fields__}, Preferences)

    @override
    @guarded
    async def put(self, user_id: str, preferences: Preferences) -> None:
        row = {"user_id": user_id, **msgspec.structs.asdict(preferences)}
        await upsert(self._work.session, PreferencesRow, [row])


async def _count(work: Work, statement: Delete) -> int:
    done = await work.session.execute(statement.execution_options(synchronize_session=False))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _session(row: SessionRow) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.__struct_fields__})
