"""One token from any carrier (S-05)."""

import pytest

from domain.errors import RequestInvalid
from entrypoints.http.edge.head import Head, extract_token, refuse_keys_in_query

KEY = b"sk-omg-0123456789abcdef"


@pytest.mark.parametrize(
    "header",
    [
        (b"authorization", b"Bearer " + KEY), (b"authorization", b"bearer  " + KEY), (b"authorization", KEY),
        (b"x-api-key", KEY), (b"api-key", KEY), (b"x-goog-api-key", KEY),
    ],
)  # fmt: skip
def test_each_carrier_gives_the_same_token(header: tuple[bytes, bytes]) -> None:
    assert extract_token(Head([header])) == KEY.decode()


def test_the_same_key_in_several_headers_is_one_key() -> None:
    head = Head([(b"authorization", b"Bearer " + KEY), (b"x-api-key", KEY), (b"api-key", KEY)])

    assert extract_token(head) == KEY.decode()


@pytest.mark.parametrize(
    "second", [(b"x-api-key", b"other"), (b"authorization", b"Bearer other"), (b"x-goog-api-key", b"other")]
)
def test_two_different_keys_are_refused(second: tuple[bytes, bytes]) -> None:
    with pytest.raises(RequestInvalid):
        extract_token(Head([(b"authorization", b"Bearer " + KEY), second]))


@pytest.mark.parametrize(
    "headers", [[], [(b"authorization", b"")], [(b"authorization", b"Bearer ")], [(b"authorization", b"Basic eDp5")],
                [(b"x-api-key", b"  ")]]
)  # fmt: skip
def test_an_empty_or_foreign_credential_is_none(headers: list[tuple[bytes, bytes]]) -> None:
    assert extract_token(Head(headers)) is None


def test_an_empty_carrier_beside_a_full_one_is_ignored() -> None:
    assert extract_token(Head([(b"x-api-key", b""), (b"authorization", b"Bearer " + KEY)])) == KEY.decode()


@pytest.mark.parametrize(
    "query",
    [
        b"key=" + KEY, b"api_key=AIzaSyA1234567890abcdef", b"beta=true&access_token=0123456789abcdef0123",
        b"ke%79=" + KEY, b"KEY=" + KEY, b"anything=" + KEY, b"x=omg-admin-abc", b"key=sk%2Domg%2D0123456789",
        b"apiKey=short", b"API-KEY=x", b"x_api_key=x", b"x-goog-api-key=AIza", b"%61pi%5Fkey=x", b"%2561pi_key=x",
        b"a=%2573k-omg-0123456789", b"a=1;key=" + KEY, b"auth=Bearer+" + KEY, b"a=Bearer%20" + KEY,
        b"A=SK-OMG-01234567", KEY, b"a[key]=1&" + KEY + b"=", b"api+key=x", b"api.key=x", b"access-token=x",
        b"key=%20" + KEY,
    ],
)  # fmt: skip
def test_a_key_in_the_query_string_is_refused(query: bytes) -> None:
    with pytest.raises(RequestInvalid) as caught:
        refuse_keys_in_query(query)

    assert caught.value.code == "api_key_in_query"
    assert KEY.decode() not in caught.value.message


@pytest.mark.parametrize(
    "query", [b"", b"beta=true", b"limit=1000&cursor=abc", b"key=day", b"key=key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
              b"group_by=model,provider", b"=&=&&", b"q=%zz", b"key_id=key_0198f3c2a1b4", b"api_key=",
              b"tokens=1000000000000000", b"alt=sse"]
)  # fmt: skip
def test_other_query_parameters_pass(query: bytes) -> None:
    refuse_keys_in_query(query)
