"""The heuristic classifier: what it says of plain cases, and its figures on the prompts that nothing was tuned by."""

import pytest
from bench.classifier import Measured
from bench.routing_cost import hard_to_the_cheapest, regret, ways

from application.routing.classifier import HeuristicClassifier
from domain.routing import TaskReading
from domain.tasks import Prompt, Task
from tests.unit.application.routing.labelled import labelled

LEAST_RIGHT = 0.95
MOST_DECLINED = 0.25
MOST_CALIBRATION_ERROR = 0.08
LEAST_RIGHT_IN_OTHER_LANGUAGES = 0.88
MOST_HARD_TO_THE_CHEAPEST = 0.1
LEAST_SERVED_WELL = 0.88


@pytest.fixture(scope="module")
def held_out() -> Measured:
    return Measured([each for each in labelled() if each.held_out])


def read(text: str, *, tools: bool = False, after_tool: bool = False) -> TaskReading:
    return HeuristicClassifier().look(Prompt(text, tools, after_tool))


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Write a Python function that reverses a string, with unit tests.", Task.CODING),
        ("Prove by induction that the sum of the first n odd integers is n^2.", Task.REASONING),
        ("Summarize the following article in two sentences.\n\nThe bridge was closed on Monday.", Task.SUMMARIZATION),
        ("Translate this to French: The shop opens at ten.", Task.TRANSLATION),
        ("Draw a picture of a lighthouse, oil painting style.", Task.IMAGE),
        ("Good morning, how are you?", Task.CHAT),
        ("Übersetze ins Englische: Der Zug hat Verspätung.", Task.TRANSLATION),
        ("画一张海边日落的图片。", Task.IMAGE),
    ],
)
def test_what_the_words_say_plainly_is_read(text: str, task: Task) -> None:
    assert read(text).name is task


def test_a_tools_result_is_a_step_of_an_agent_whatever_it_says() -> None:
    assert read("Translate this to German: hello", tools=True, after_tool=True).name is Task.AGENT_STEP


@pytest.mark.parametrize("text", ["Chest pain since this morning, what now?", "Can I take ibuprofen with alcohol?"])
def test_short_questions_with_much_at_stake_are_declined(text: str) -> None:
    assert read(text).name is None


def test_nothing_at_all_is_declined() -> None:
    assert read("").name is None
    assert read(" \n").name is None


def test_who_is_sure_of_no_task_is_sure_of_nothing() -> None:
    """However likely the words make one: a number beside no task would be taken for how sure that is."""
    readings = [HeuristicClassifier().look(each.prompt) for each in labelled()]
    declined = [reading.confidence for reading in readings if reading.name is None]

    assert len(declined) > 40
    assert set(declined) == {0.0}


def test_a_text_that_is_no_text_is_read_too() -> None:
    assert read("\ud800\x00" * 40).confidence <= 1


async def test_waiting_for_it_gives_the_same() -> None:
    assert await HeuristicClassifier().read(Prompt("Draw a cat.")) == read("Draw a cat.")


def test_the_labelled_prompts_are_many_and_of_many_kinds() -> None:
    prompts = labelled()

    assert len(prompts) >= 520
    assert len({each.prompt for each in prompts}) == len(prompts)
    assert sum(each.language != "en" for each in prompts) >= 60
    assert len({each.language for each in prompts} - {"en"}) >= 6
    assert sum(each.hard for each in prompts) >= 40
    assert {each.task for each in prompts if each.held_out} == set(Task)
    assert 0.25 < sum(each.held_out for each in prompts) / len(prompts) < 0.45


def test_it_is_right_where_it_answers_and_declines_few(held_out: Measured) -> None:
    assert held_out.accuracy >= LEAST_RIGHT
    assert held_out.declined <= MOST_DECLINED


def test_it_is_right_as_often_as_it_says(held_out: Measured) -> None:
    assert held_out.calibration_error <= MOST_CALIBRATION_ERROR


def test_it_is_right_in_other_languages() -> None:
    other = Measured([each for each in labelled() if each.held_out and each.language != "en"])

    assert other.accuracy >= LEAST_RIGHT_IN_OTHER_LANGUAGES


def test_auto_quality_is_as_good_as_always_the_default_and_costs_less() -> None:
    found = ways([each for each in labelled() if each.held_out])

    assert found["auto:quality"].quality >= found["always the default"].quality
    assert found["auto:quality"].well >= found["always the default"].well - 0.02
    assert found["auto:quality"].usd < 0.85 * found["always the default"].usd


def test_auto_costs_a_fraction_and_serves_nearly_all_well() -> None:
    held_out = [each for each in labelled() if each.held_out]
    found = ways(held_out)

    assert found["auto"].usd < 0.15 * found["always the default"].usd
    assert found["auto"].well >= LEAST_SERVED_WELL
    assert found["auto"].well > found["always the cheapest"].well + 0.4
    assert regret(held_out) < 0.1


def test_few_of_the_short_and_hard_go_to_the_cheapest_model() -> None:
    assert hard_to_the_cheapest(labelled()) <= MOST_HARD_TO_THE_CHEAPEST
    assert hard_to_the_cheapest([each for each in labelled() if each.held_out]) <= MOST_HARD_TO_THE_CHEAPEST
