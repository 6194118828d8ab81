"""How well tasks are read off prompts: `python -m bench.classifier`. Fits nothing, unless asked with `--fit`.

Figures are of the labelled prompts in the tests, those that nothing was tuned by, and are the same on every machine but
for the time. `--fit` prints the weights of `application/routing/task_weights.py`, from the other prompts alone.
"""

import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from tests.unit.application.routing.labelled import Labelled, labelled

from application.routing.classifier import TASKS, HeuristicClassifier, cues_of, weighed
from application.routing.task_weights import SHARPNESS, WEIGHTS
from bench.routing_cost import hard_to_the_cheapest, regret, ways
from domain.tasks import Prompt

GOAL_MICROSECONDS = 200
ROUNDS, STEPS, RATE, DECAY = 5, 600, 0.5, 0.02
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)

Weights = dict[str, list[float]]
Examples = Sequence[tuple[dict[str, float], int]]


def fitted(examples: Examples, decay: float = DECAY) -> Weights:
    """Softmax regression by gradient descent; the same for the same examples."""
    cues = sorted({cue for found, _ in examples for cue in found})
    weights: Weights = {cue: [0.0] * len(TASKS) for cue in cues}
    for step in range(STEPS):
        slopes: Weights = {cue: [0.0] * len(TASKS) for cue in cues}
        for found, task in examples:
            for index, share in enumerate(_shares(found, weights)):
                error = share - (index == task)
                for cue, amount in found.items():
                    slopes[cue][index] += error * amount
        rate = RATE / (1 + step / 200)
        for cue in cues:
            for index in range(len(TASKS)):
                slope = slopes[cue][index] / len(examples) * 4 + decay / 4 * weights[cue][index]
                weights[cue][index] -= rate * slope
    return weights


def _shares(cues: Mapping[str, float], weights: Mapping[str, Sequence[float]]) -> list[float]:
    totals = [0.0] * len(TASKS)
    for cue, amount in cues.items():
        row = weights.get(cue)
        if row is not None:
            for index, weight in enumerate(row):
                totals[index] += weight * amount
    most = max(totals)
    parts = [math.exp(total - most) for total in totals]
    return [part / sum(parts) for part in parts]


def examples_of(prompts: Iterable[Labelled]) -> Examples:
    return [(cues_of(each.prompt), TASKS.index(each.task)) for each in prompts if not each.prompt.after_tool]


def out_of_fold(examples: Examples, folds: int = 5) -> list[tuple[dict[str, float], int, Weights]]:
    """Each example with weights that were fitted without it: what sharpness may be tuned by."""
    found = []
    for fold in range(folds):
        weights = fitted([each for number, each in enumerate(examples) if number % folds != fold])
        found += [(*each, weights) for number, each in enumerate(examples) if number % folds == fold]
    return found


def best_sharpness(examples: Examples) -> tuple[float, float]:
    """The sharpness under which unseen examples are likeliest, and the share of them that is read rightly."""
    held = out_of_fold(examples)
    losses = {}
    for sharpness in (step / 20 for step in range(10, 61)):
        loss = 0.0
        for cues, task, weights in held:
            shares = _shares({cue: amount * sharpness for cue, amount in cues.items()}, weights)
            loss -= math.log(max(1e-9, shares[task]))
        losses[sharpness] = loss
    right = sum(TASKS.index(weighed(cues, weights, 1.0)[0]) == task for cues, task, weights in held)
    return min(losses, key=lambda each: losses[each]), right / len(held)


class Measured:
    """What the classifier does with prompts."""

    def __init__(self, prompts: Sequence[Labelled]) -> None:
        classifier = HeuristicClassifier()
        self.prompts = prompts
        self.readings = [classifier.look(each.prompt) for each in prompts]
        self.guesses = [
            (each.task, weighed(cues_of(each.prompt), WEIGHTS, SHARPNESS))
            for each in prompts
            if not each.prompt.after_tool
        ]

    @property
    def declined(self) -> float:
        """The share of prompts of which it is not sure."""
        return sum(reading.name is None for reading in self.readings) / len(self.readings)

    @property
    def accuracy(self) -> float:
        """The share of right answers, of those given."""
        given = [(each, reading) for each, reading in zip(self.prompts, self.readings, strict=True) if reading.name]
        return sum(each.task is reading.name for each, reading in given) / len(given)

    @property
    def forced(self) -> float:
        """The share of right answers, were it to answer always."""
        return sum(task is guess for task, (guess, _) in self.guesses) / len(self.guesses)

    @property
    def bins(self) -> list[tuple[float, float, int, float, float]]:
        """From, to, how many, how sure it is on average, how often it is right. Of what it would say of all."""
        rows = []
        for low, high in pairwise(BINS):
            inside = [(task is guess, sure) for task, (guess, sure) in self.guesses if low <= sure < high]
            if inside:
                count = len(inside)
                rows.append(
                    (low, min(high, 1.0), count, sum(s for _, s in inside) / count, sum(r for r, _ in inside) / count)
                )
        return rows

    @property
    def calibration_error(self) -> float:
        """How far what it says of itself is from what is so, on average (ECE)."""
        return sum(count * abs(sure - right) for _, _, count, sure, right in self.bins) / len(self.guesses)


def microseconds() -> float:
    """CPU for one prompt of 2 KB, the quickest of some rounds."""
    texts = [
        ("Please fix the function below. " + "def area(w, h): return w * h # ünits? " * 80)[:2048] for _ in range(200)
    ]
    classifier, best = HeuristicClassifier(), math.inf
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            classifier.look(Prompt(text))
        best = min(best, time.process_time() - began)
    return best / len(texts) * 1e6


def main(arguments: Sequence[str]) -> int:
    prompts = labelled()
    if "--fit" in arguments:
        tuning = examples_of(each for each in prompts if not each.held_out)
        weights = fitted(tuning)
        sharpness, accuracy = best_sharpness(tuning)
        print(f"# {len(tuning)} prompts, {accuracy:.3f} of them right when left out", file=sys.stderr)
        print(f"SHARPNESS: Final = {sharpness:.2f}\nWEIGHTS: Final[Mapping[str, Sequence[float]]] = {{")
        for cue, row in weights.items():
            print(f'    "{cue}": ({", ".join(f"{weight:.2f}" for weight in row)}),')
        print("}")
        return 0
    for name, part in (
        ("tuning", [p for p in prompts if not p.held_out]),
        ("held out", [p for p in prompts if p.held_out]),
    ):
        found = Measured(part)
        print(
            f"{name}: {len(part)} prompts, {sum(p.language != 'en' for p in part)} not in English, "
            f"{sum(p.hard for p in part)} short and hard"
        )
        print(
            f"  right where it answers {found.accuracy:.3f}, declined {found.declined:.3f}, "
            f"right if it had to {found.forced:.3f}, calibration error {found.calibration_error:.3f}"
        )
        for low, high, count, sure, right in found.bins:
            print(f"    says {low:.2f} to {high:.2f}: {count:4d} prompts, {sure:.2f} on average, {right:.2f} right")
        if "--wrong" in arguments and name == "tuning":
            for each, reading in zip(part, found.readings, strict=True):
                if reading.name is not each.task:
                    said = f"{reading.name or '-'} {reading.confidence:.2f}"
                    print(f"    {each.task.value:13} read {said}: {each.prompt.text[:90]!r}")
        print("  USD for 1,000 prompts, strength of the chosen on average, share served well:")
        for way, of_it in ways(part).items():
            print(f"    {way:22}{of_it.usd:7.3f}  {of_it.quality:.3f}  {of_it.well:.3f}")
        hard = hard_to_the_cheapest(part)
        print(f"  cost regret of auto {regret(part):+.3f}, short and hard to the cheapest {hard:.3f}")
    took = microseconds()
    print(f"a prompt of 2 KB: {took:.0f} µs (goal {GOAL_MICROSECONDS})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
