"""`routes:` of the settings file, and what is said of a wrong one."""

from pathlib import Path

import pytest

from domain.routes import FallbackCause, Target, When
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import SettingsError

FORMS = {
    "a mapping": "routes: {fast: {targets: [{provider: a, model: m, when: {max_input_tokens: 9}}], "
    "fallback_on: [error]}}",
    "a list": "routes: [{alias: fast, targets: [{provider: a, model: m, when: {max_input_tokens: 9}}], "
    "fallback_on: [error]}]",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_file_declares_routes_as_a_mapping_or_a_list(tmp_path: Path, form: str) -> None:
    (tmp_path / "omg.yaml").write_text(FORMS[form])
    (route,) = load_settings(environ={}, folder=tmp_path).routes

    assert (route.alias, route.fallback_on) == ("fast", (FallbackCause.ERROR,))
    assert route.targets == (Target("m", "a", when=When(max_input_tokens=9)),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("routes: fast", "routes (omg.yaml): expected a list of routes"),
        ("routes: [fast]", "routes[0] (omg.yaml): expected names and values"),
        ("routes: {fast: {strategie: weighted}}", "routes[0].strategie (omg.yaml): there is no such"),
        ("routes: {fast: {targets: []}}", "routes[0].targets (omg.yaml): Expected `array` of length >= 1"),
        ("routes: {fast: {targets: [{modle: m}]}}", "routes[0].targets[0] (omg.yaml): Object"),
        ("routes: {fast: {strategy: best, targets: [{model: m}]}}", "routes[0].strategy (omg.yaml): Invalid"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_route_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "omg.yaml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings(environ={}, folder=tmp_path)

    assert words in str(raised.value)
