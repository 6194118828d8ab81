"""Sessions, one-time tokens, passwords and preferences as every store keeps them."""

import asyncio
from datetime import timedelta

import msgspec

from adapters.persistence.store import SqlAlchemyStore
from domain.ports.repositories import Store
from domain.sign_in import OneTimeToken, Preferences, Session
from domain.users import User
from tests.builders import NOW
from tests.other_values import each_field_changed

LATER = NOW + timedelta(minutes=5)


def a_session(number: int = 1, user_id: str = "usr_1") -> Session:
    return Session(
        id=f"ses_{number}",
        user_id=user_id,
        digest=bytes([number]) * 32,
        method="password",
        created_at=NOW,
        last_seen_at=NOW,
        confirmed_at=NOW,
        ends_at=NOW + timedelta(days=90),
        address="203.0.113.7",
        user_agent="a browser",
    )


def a_token(number: int = 1) -> OneTimeToken:
    return OneTimeToken(bytes([number]) * 32, "link", "usr_1", NOW, LATER)


async def with_users(store: Store) -> Store:
    async with store.write() as unit:
        for number in (1, 2):
            await unit.users.add(User(f"usr_{number}", f"u{number}@example.com", "U", NOW, NOW))
    return store


async def test_every_field_of_a_session_a_token_and_a_persons_choices_comes_back(store: Store) -> None:
    await with_users(store)
    sessions = [
        msgspec.structs.replace(changed, id=f"ses_{number}", digest=bytes([number + 1]) * 32)
        for number, (_, changed) in enumerate(each_field_changed(a_session(), user_id="usr_1"))
    ]
    tokens = [
        msgspec.structs.replace(changed, digest=bytes([number + 1]) * 32)
        for number, (_, changed) in enumerate(each_field_changed(a_token(), user_id="usr_1"))
    ]
    for session in sessions:
        async with store.write() as unit:
            await unit.sessions.add(session)
        async with store.read() as unit:
            assert await unit.sessions.find([session.digest]) == session
    for token in tokens:
        async with store.write() as unit:
            await unit.one_time_tokens.add(token)
        async with store.write() as unit:
            assert await unit.one_time_tokens.take([token.digest], token.purpose) == token
    for field, chosen in each_field_changed(Preferences()):
        async with store.write() as unit:
            await unit.preferences.put("usr_1", chosen)
        async with store.read() as unit:
            assert await unit.preferences.get("usr_1") == chosen, field


async def test_a_session_comes_back_as_it_was_kept_and_is_found_by_any_of_its_digests(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        await unit.sessions.add(a_session())

    async with store.read() as unit:
        assert await unit.sessions.find([b"?" * 32, a_session().digest]) == a_session()
        assert await unit.sessions.find([b"?" * 32]) is None


async def test_a_session_is_touched_and_confirmed(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        await unit.sessions.add(a_session())
        await unit.sessions.touch("ses_1", LATER)
        await unit.sessions.touch("ses_none", LATER)
    async with store.read() as unit:
        assert (await unit.sessions.list_of("usr_1"))[0] == msgspec.structs.replace(a_session(), last_seen_at=LATER)

    async with store.write() as unit:
        await unit.sessions.touch("ses_1", LATER, confirmed_at=LATER)
    async with store.read() as unit:
        assert (await unit.sessions.list_of("usr_1"))[0].confirmed_at == LATER


async def test_nobody_ends_anybody_elses_session(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        for number in (1, 2, 3):
            await unit.sessions.add(a_session(number))
        await unit.sessions.add(a_session(4, "usr_2"))
        assert not await unit.sessions.delete("usr_2", "ses_1")
        assert await unit.sessions.delete("usr_1", "ses_1")
        assert await unit.sessions.delete_all("usr_1", but="ses_2") == 1

    async with store.read() as unit:
        assert [one.id for one in await unit.sessions.list_of("usr_1")] == ["ses_2"]
        assert [one.id for one in await unit.sessions.list_of("usr_2")] == ["ses_4"]


async def test_what_has_ended_is_deleted_and_the_rest_stays(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        await unit.sessions.add(a_session(1))
        await unit.sessions.add(msgspec.structs.replace(a_session(2), ends_at=NOW))
        await unit.sessions.add(msgspec.structs.replace(a_session(3), last_seen_at=NOW - timedelta(days=15)))
        await unit.one_time_tokens.add(a_token(1))
        await unit.one_time_tokens.add(msgspec.structs.replace(a_token(2), ends_at=NOW))
        assert await unit.sessions.delete_ended(NOW - timedelta(days=14), NOW) == 3

    async with store.read() as unit:
        assert [one.id for one in await unit.sessions.list_of("usr_1")] == ["ses_1"]


async def test_a_token_is_taken_once_and_for_its_purpose(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        await unit.one_time_tokens.add(a_token())
    async with store.write() as unit:
        assert await unit.one_time_tokens.take([a_token().digest], "invite") is None
        assert await unit.one_time_tokens.take([b"?" * 32, a_token().digest], "link") == a_token()
    async with store.write() as unit:
        assert await unit.one_time_tokens.take([a_token().digest], "link") is None


async def test_of_many_that_take_a_token_at_once_one_gets_it(sql_store: SqlAlchemyStore) -> None:
    await with_users(sql_store)
    async with sql_store.write() as unit:
        await unit.one_time_tokens.add(a_token())

    async def take() -> OneTimeToken | None:
        async with sql_store.write() as unit:
            return await unit.one_time_tokens.take([a_token().digest], "link")

    taken = await asyncio.gather(*(take() for _ in range(5)))

    assert [one for one in taken if one is not None] == [a_token()]


async def test_passwords_and_preferences_are_put_and_replaced(store: Store) -> None:
    await with_users(store)
    chosen = Preferences("Europe/Oslo", "nb-NO", "dark")
    async with store.write() as unit:
        for hash_ in ("first", "second"):
            await unit.passwords.put("usr_1", hash_, NOW)
        await unit.preferences.put("usr_1", Preferences("UTC"))
        await unit.preferences.put("usr_1", chosen)

    async with store.write() as unit:
        assert await unit.passwords.get("usr_1") == "second"
        assert await unit.passwords.get("usr_2") is None
        assert await unit.preferences.get("usr_1") == chosen
        assert await unit.preferences.get("usr_2") == Preferences()
        assert await unit.passwords.delete("usr_1")
        assert not await unit.passwords.delete("usr_1")


async def test_everything_of_a_user_goes_with_them(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        await unit.sessions.add(a_session())
        await unit.one_time_tokens.add(a_token())
        await unit.passwords.put("usr_1", "hash", NOW)
        await unit.preferences.put("usr_1", Preferences("UTC"))
    async with store.write() as unit:
        assert await unit.users.delete("usr_1")

    async with store.write() as unit:
        assert await unit.sessions.find([a_session().digest]) is None
        assert await unit.one_time_tokens.take([a_token().digest], "link") is None
        assert await unit.passwords.get("usr_1") is None
        assert await unit.preferences.get("usr_1") == Preferences()
