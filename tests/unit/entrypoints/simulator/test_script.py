"""Scripts are played in order, and a wrong one is refused where it is wrong."""

import pytest

from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.errors import ScriptInvalid
from entrypoints.simulator.script import ScriptPlayer, parse_persona, parse_script

SCRIPT = """
personas:
  alpha:
    require_key: sk-alpha
    models: [m.one, {id: big, context_window: 200000}]
    behaviours:
      m.one:
        - {like: sim-429-retry-2s, times: 2}
        - sim-503
        - reply: done
          usage: {prompt_tokens: 5, completion_tokens: 3}
      "*": sim-500
"""


def test_behaviours_are_served_in_order_and_the_last_one_repeats() -> None:
    player = ScriptPlayer(parse_script(SCRIPT))

    served = [player.next("alpha", "m.one") for _ in range(6)]

    assert [behaviour.status for behaviour in served] == [429, 429, 503, 200, 200, 200]
    assert served[0].headers == {"retry-after": "2"}
    assert served[-1].reply == "done"


def test_a_star_stands_for_every_model_that_is_not_named() -> None:
    player = ScriptPlayer(parse_script(SCRIPT))

    assert player.next("alpha", "another").status == 500


def test_a_persona_that_was_never_scripted_behaves_as_the_model_name_says() -> None:
    player = ScriptPlayer(parse_script(SCRIPT))

    assert player.next("beta", "sim-402").status == 402
    assert player.next("beta", "anything") == Behaviour()


def test_replacing_one_persona_starts_it_anew_and_leaves_the_others() -> None:
    player = ScriptPlayer(parse_script("{personas: {a: {behaviours: {m: [sim-500, sim-503]}}}}"))
    player.replace_persona("b", parse_persona("behaviours: {m: [sim-401, sim-403]}"))
    assert [player.next("a", "m").status, player.next("b", "m").status] == [500, 401]

    player.replace_persona("b", parse_persona("behaviours: {m: [sim-402]}"))

    assert [player.next("a", "m").status, player.next("b", "m").status] == [503, 402]


def test_a_persona_with_a_model_list_knows_only_these_the_scripted_and_simulator_names() -> None:
    persona = parse_persona("{models: [m], behaviours: {scripted: sim-echo}}")

    assert [persona.serves(name) for name in ("m", "scripted", "sim-echo", "other")] == [True, True, True, False]
    assert [model.id for model in persona.listed()] == ["m"]


def test_without_a_model_list_scripted_and_well_known_models_are_listed() -> None:
    listed = [model.id for model in parse_persona("{behaviours: {scripted: sim-echo, '*': sim-500}}").listed()]

    assert listed[:2] == ["scripted", "sim-echo"]
    assert "*" not in listed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "personas:\n  a:\n    behaviours:\n      m.x:\n        - {status: 200}\n        - status: hello\n",
            "line 6, personas.a.behaviours.m.x[1].status: Expected `int`, got `str`",
        ),
        (
            "personas:\n  a:\n    behaviours:\n      m:\n        - nonsense: 1\n",
            "line 5, personas.a.behaviours.m[0]: Object contains unknown field `nonsense`",
        ),
        (
            "personas:\n  a:\n    behaviours:\n      m: [{fault: explode}]\n",
            "line 4, personas.a.behaviours.m[0].fault: Invalid enum value 'explode'",
        ),
        (
            "personas:\n  a:\n    behaviors: {}\n",
            "line 3, personas.a.behaviors: unknown field 'behaviors'; known are behaviours, models, require_key",
        ),
        ("personas:\n  a:\n    behaviours:\n      m: []\n", "line 4, personas.a.behaviours.m: needs at least one"),
        ("personas:\n  a:\n    behaviours:\n      m: [gpt]\n", "line 4, personas.a.behaviours.m[0].like: 'gpt' is no"),
        ("personas:\n  a:\n    behaviours:\n      m: [sim-nope]\n", "unknown simulator directive 'nope'"),
        ("personas:\n  a:\n    behaviours:\n      m: [{times: 0}]\n", "m[0].times: a behaviour serves at least one"),
        ("personas:\n  a:\n    behaviours:\n      m: [{status: 42}]\n", "m[0].status: a status is 200 to 599"),
        ("personas:\n  a:\n    models: gpt\n", "line 3, personas.a.models: is a list of model ids"),
        ("personas:\n  a:\n    models: [{name: gpt}]\n", "line 3, personas.a.models[0]: Object"),
        ("personas:\n  a:\n    require_key: 7\n", "line 3, personas.a.require_key: is true, false or the key itself"),
        ("personas:\n  1: {}\n", "personas: keys are text; put 1 in quotes"),
        ("personas: [\n  a: b\n", "line 3, "),
        ("- a\n", "script: is an object, not list"),
    ],
)
def test_a_wrong_script_is_refused_with_its_line_and_field(text: str, complaint: str) -> None:
    with pytest.raises(ScriptInvalid) as refused:
        parse_script(text)

    assert complaint in str(refused.value)
