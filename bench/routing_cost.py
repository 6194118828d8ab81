"""What `auto` spends on the labelled prompts, and how often what it chose would do: a part of `bench.classifier`.

A fleet of six models at their list prices, with the shipped strengths, and for each prompt what it takes to be served
well: a figure by task, more where a prompt is short and hard. Those figures are an assumption, written down below; the
rest is the code that serves requests. Prompts for pictures are left out: who makes them is not a matter of strengths.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tests.unit.application.routing.labelled import Labelled

from adapters.lifecycle.strengths import FamilyStrengths
from application.routing.auto import OUTPUT_TOKENS
from application.routing.classifier import HeuristicClassifier
from application.routing.scoring import Estimate, scored, strength_at, weights_for
from domain.prices import Prices, cost_nano_usd
from domain.tasks import Priority, Task
from domain.usage import TokenUsage

FLEET: Final[Mapping[str, Prices]] = {
    "mistral-small-2506": Prices(100_000_000, 300_000_000),
    "gpt-oss-120b": Prices(150_000_000, 600_000_000),
    "deepseek-v4-flash": Prices(300_000_000, 1_200_000_000),
    "gemini-3.7-flash": Prices(1_500_000_000, 7_500_000_000),
    "gpt-6.1-terra": Prices(1_000_000_000, 5_000_000_000),
    "claude-sonnet-5-5": Prices(2_000_000_000, 10_000_000_000),
}
"""Nano-USD per million tokens, of November 2026. Two models that are cheaper and better than most here are left out on
purpose: with them there would be little to choose."""

DEFAULT: Final = "claude-sonnet-5-5"
CHEAPEST: Final = min(FLEET, key=lambda model: FLEET[model].output or 0)

NEEDED: Final[Mapping[Task, float]] = {
    Task.CHAT: 0.58,
    Task.SUMMARIZATION: 0.58,
    Task.TRANSLATION: 0.7,
    Task.CODING: 0.85,
    Task.AGENT_STEP: 0.8,
    Task.REASONING: 0.85,
}
NEEDED_WHERE_HARD: Final = 0.88
"""How strong a model must be at the task for a prompt to be served well."""

_OVERHEAD_TOKENS: Final = 40
_FAMILIES: Final = {"mistral-small-2506": "mistral-small-3.2"}


class Choice(NamedTuple):
    model: str
    cost: int
    quality: float  # at what the prompt really is
    enough: bool


class Spent(NamedTuple):
    """Of one way to choose: USD for a thousand prompts, how strong the chosen were at them on average, and the share of
    prompts that was served well."""

    usd: float
    quality: float
    well: float


class Fleet:
    def __init__(self) -> None:
        shipped = FamilyStrengths()
        medians = shipped.medians()
        self.strengths = {
            model: {
                task: found[task].value if task in (found := shipped.of(_FAMILIES.get(model, model))) else medians[task]
                for task in Task
            }
            for model in FLEET
        }
        self._classifier = HeuristicClassifier()

    def auto(self, each: Labelled, priority: Priority = "balanced") -> Choice:
        """As the router scores: by what is read of the prompt, where nothing is known of speed and all are well."""
        reading = self._classifier.look(each.prompt)
        usage = TokenUsage(_OVERHEAD_TOKENS + len(each.prompt.text) // 4, OUTPUT_TOKENS[reading.name])
        estimates = [
            Estimate(strength_at(reading.name, self.strengths[model]), cost_nano_usd=cost_nano_usd(usage, prices))
            for model, prices in FLEET.items()
        ]
        scores = [score for score, _ in scored(estimates, weights_for(reading.name, priority, "normal"))]
        return self.chosen(each, list(FLEET)[scores.index(max(scores))])

    def chosen(self, each: Labelled, model: str) -> Choice:
        """What a model costs for the prompt as it really is, and whether it serves it well."""
        usage = TokenUsage(_OVERHEAD_TOKENS + len(each.prompt.text) // 4, OUTPUT_TOKENS[each.task])
        needed = max(NEEDED[each.task], NEEDED_WHERE_HARD if each.hard else 0.0)
        strength = self.strengths[model][each.task]
        return Choice(model, cost_nano_usd(usage, FLEET[model]), strength, strength >= needed)

    def best(self, each: Labelled) -> Choice:
        """The cheapest that serves it well, which nobody can know before; else the default."""
        choices = [self.chosen(each, model) for model in FLEET]
        enough = [choice for choice in choices if choice.enough]
        return min(enough, key=lambda choice: choice.cost) if enough else self.chosen(each, DEFAULT)


def texts(prompts: Sequence[Labelled]) -> list[Labelled]:
    return [each for each in prompts if each.task is not Task.IMAGE]


def spent(choices: Sequence[Choice]) -> Spent:
    cost = sum(choice.cost for choice in choices) / 1e9
    count = len(choices)
    quality, well = sum(choice.quality for choice in choices), sum(choice.enough for choice in choices)
    return Spent(cost / count * 1_000, quality / count, well / count)


def ways(prompts: Sequence[Labelled]) -> dict[str, Spent]:
    """Each way to choose."""
    fleet, asked = Fleet(), texts(prompts)
    return {
        "always the default": spent([fleet.chosen(each, DEFAULT) for each in asked]),
        "always the cheapest": spent([fleet.chosen(each, CHEAPEST) for each in asked]),
        "auto": spent([fleet.auto(each) for each in asked]),
        "auto:cost": spent([fleet.auto(each, "cost") for each in asked]),
        "auto:quality": spent([fleet.auto(each, "quality") for each in asked]),
        "who knows all before": spent([fleet.best(each) for each in asked]),
    }


def regret(prompts: Sequence[Labelled]) -> float:
    """What `auto` pays more than who knows all before, as a share of that."""
    found = ways(prompts)
    return found["auto"].usd / found["who knows all before"].usd - 1


def hard_to_the_cheapest(prompts: Sequence[Labelled]) -> float:
    """Of the short and hard prompts, the share that goes to the cheapest model."""
    fleet = Fleet()
    hard = [each for each in texts(prompts) if each.hard]
    return sum(fleet.auto(each).model == CHEAPEST for each in hard) / len(hard)
