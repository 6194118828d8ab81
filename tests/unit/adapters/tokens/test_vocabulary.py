"""Estimates: by vocabulary where it is loaded, by length elsewhere, and never a wait or an error (R-22)."""

import subprocess
import sys
from collections.abc import Callable
from threading import Event

import pytest

from adapters.tokens.length import LengthTokenCounter
from adapters.tokens.vocabulary import MAX_COUNTED_CHARACTERS, VocabularyTokenCounter


def prepared(load: Callable[[], Callable[[str], int]]) -> VocabularyTokenCounter:
    counter = VocabularyTokenCounter(load)
    counter.prepare()
    counter.wait(10)
    return counter


def test_nothing_is_loaded_before_there_is_need() -> None:
    counter = VocabularyTokenCounter()

    assert counter.count("four") == 1
    assert not counter.loaded


def test_the_vocabulary_is_openais_own() -> None:
    """The ids of o200k_base, as tiktoken gives them: 2, 17, 8 and 0 tokens."""
    counter = VocabularyTokenCounter()
    counter.prepare()
    counter.wait(10)

    texts = ("hello world", "Grüß Gott, 你好世界 🧠🧠 iPhone don't", "<|endoftext|> x", "")
    assert [counter.count(text) for text in texts] == [2, 17, 8, 0]


def test_a_count_does_not_wait_for_the_vocabulary() -> None:
    release = Event()

    def load() -> Callable[[str], int]:
        release.wait(10)
        return lambda text: 1000

    counter = VocabularyTokenCounter(load)
    counter.prepare()
    assert counter.count("four") == 1
    release.set()
    counter.wait(10)
    assert counter.count("four") == 1000


def test_it_is_loaded_once() -> None:
    loads: list[int] = []

    def load() -> Callable[[str], int]:
        loads.append(1)
        return len

    counter = prepared(load)
    counter.prepare()
    counter.wait(10)
    assert loads == [1]


def test_of_a_long_text_samples_are_counted_so_that_it_takes_no_longer_than_a_short_one() -> None:
    seen: list[int] = []

    def count(text: str) -> int:
        seen.append(len(text))
        return len(text) // 4

    counter = prepared(lambda: count)
    for times in 1, 4, 400:
        size = times * MAX_COUNTED_CHARACTERS
        assert counter.count("x" * size) == size // 4
    assert seen == [MAX_COUNTED_CHARACTERS] * 3


def test_samples_are_of_the_whole_text() -> None:
    counter = prepared(lambda: lambda text: text.count("b"))
    half = 10 * MAX_COUNTED_CHARACTERS

    assert counter.count("a" * half + "b" * half) == pytest.approx(half, rel=0.1)


def test_a_broken_vocabulary_is_told_once_and_estimates_go_on(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Callable[[str], int]:
        raise OSError("not today")

    def count(text: str) -> int:
        raise UnicodeEncodeError("utf-8", text, 0, 1, "surrogates not allowed")

    unloadable = prepared(load)
    assert unloadable.count("12345678") == 3
    assert [record.getMessage() for record in caplog.records] == [
        "tokens are estimated without a vocabulary: it failed"
    ]
    caplog.clear()
    raising = prepared(lambda: count)
    assert [raising.count("12345678"), raising.count("1234")] == [3, 2]
    assert len(caplog.records) == 1


def test_half_a_surrogate_pair_is_counted_and_no_error() -> None:
    counter = VocabularyTokenCounter()
    assert counter.count("a\ud800") == 1
    counter.prepare()
    counter.wait(10)
    assert counter.count("a\ud800") == 1


def test_lengths_are_those_of_utf_8() -> None:
    counter = LengthTokenCounter()
    counter.prepare()
    assert [counter.count(text) for text in ("", "a", "abcde", "üü", "🧠🧠")] == [0, 1, 2, 1, 2]


@pytest.mark.slow
def test_importing_the_counter_does_not_import_the_vocabulary() -> None:
    code = "import adapters.tokens.vocabulary, sys; sys.exit('toktok' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
