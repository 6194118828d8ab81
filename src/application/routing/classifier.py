"""What a request is for, by the words and shapes of its last message: no model, no I/O, some tens of microseconds.

The cues that a prompt has are weighed for each task, which is a softmax regression: its weights were fitted on the
tuning part of the labelled prompts (`python -m bench.classifier --fit`), and its confidence is their share, sharpened
or flattened so that it is right as often as it says. Below `LEAST_CONFIDENCE` it declines, of
what is easy earlier.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from typing_extensions import override

from application.routing.task_cues import OPENINGS, PIECES, SHAPES, SIGNS, STEMS, TOWARDS, WORDS
from application.routing.task_weights import LEAST_CONFIDENCE, SHARPNESS, WEIGHTS
from domain.ports.tasks import TaskClassifier
from domain.routing import TaskReading
from domain.tasks import Prompt, Task

HEAD, TAIL = 420, 200
"""Characters: what is wanted stands at a prompt's beginning or its end, and what it is wanted of between."""

SHORT: Final = 140
LONG: Final = 400
_MOST = 2
"""A cue counts so many times at most."""

_SHAPED: Final = 240
"""Characters that patterns are looked for in."""

_WORD = re.compile(r"[^\s.,:()\[\]{}\"!?*=<>/|`「」“„”«»¿¡、。：]+")
_STEM_LENGTHS = tuple(sorted({len(stem) for stems in STEMS.values() for stem in stems.split()}, reverse=True))


def _cues_by(cues: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cue, words in cues.items():
        for word in words.split():
            if cue not in found.get(word, ()):
                found[word] = (*found.get(word, ()), cue)
    return found


_BY_WORD: Final = _cues_by(WORDS)
_BY_STEM: Final = _cues_by(STEMS)

SMALL_TALK: Final = frozenset({"small_talk", "greeting", "advice"})

_PIECES: Final = tuple(PIECES.items())
_PLAIN_PIECES: Final = tuple((cue, tuple(filter(str.isascii, pieces))) for cue, pieces in PIECES.items())

_QUESTION_MARKS = ("?", "？", "؟")
_LANGUAGE: Final = "human_language"

TASKS: Final = tuple(Task)

EASY: Final = frozenset({Task.CHAT, Task.SUMMARIZATION})
"""What nearly every model can: who takes a hard prompt for one of these, gives it to a weak one."""

LEAST_CONFIDENCE_FOR_EASY: Final = 0.8

STAKES: Final = "stakes"
"""The cue of questions of which a wrong answer is dear: where they are short, nobody is sure of them."""


class HeuristicClassifier(TaskClassifier):
    """Sure of what the words say plainly, and of nothing else."""

    @override
    async def read(self, prompt: Prompt) -> TaskReading:
        return self.look(prompt)

    def look(self, prompt: Prompt) -> TaskReading:
        """The same, without waiting for anybody."""
        if prompt.after_tool:
            return TaskReading(Task.AGENT_STEP, 0.99, "heuristic")
        if not prompt.text.strip() and not prompt.tools:
            return TaskReading(None, 0.0, "heuristic")
        cues = cues_of(prompt)
        task, confidence = weighed(cues, WEIGHTS, SHARPNESS)
        if confidence < (LEAST_CONFIDENCE_FOR_EASY if task in EASY else LEAST_CONFIDENCE) or _is_doubtful(
            prompt, cues, task
        ):
            return TaskReading(None, 0.0, "heuristic")  # it is sure of no task, however likely the words make one
        return TaskReading(task, round(confidence, 2), "heuristic")


def _is_doubtful(prompt: Prompt, cues: Mapping[str, float], task: Task) -> bool:
    """A short question with much at stake, or one that is taken for small talk for want of anything else."""
    if prompt.tools or len(prompt.text) >= SHORT:
        return False
    return STAKES in cues or (task is Task.CHAT and SMALL_TALK.isdisjoint(cues))


def cues_of(prompt: Prompt) -> dict[str, float]:
    """The cues that a prompt has, and how much of each: 1 for once, 1.7 for more often."""
    text = prompt.text if len(prompt.text) <= HEAD + TAIL else f"{prompt.text[:HEAD]}\n{prompt.text[-TAIL:]}"
    counts: dict[str, int] = {"always": 1}
    lowered = text.lower()
    for cue in _of_words(lowered):
        counts[cue] = counts.get(cue, 0) + 1
    for cue, pieces in _PIECES if not text.isascii() else _PLAIN_PIECES:
        for piece in pieces:
            if piece in lowered:
                counts[cue] = counts.get(cue, 0) + 1
    for cue, signs in SIGNS.items():
        if any(sign in text for sign in signs):
            counts[cue] = 1
    beginning = text[:_SHAPED]
    for cue, shape in SHAPES.items():
        if cue not in counts and shape.search(beginning):
            counts[cue] = 1
    for cue, opening in OPENINGS.items():
        if opening.match(beginning):
            counts[cue] = 1
    if text.rstrip().endswith(_QUESTION_MARKS):
        counts["asks"] = 1
    length = len(prompt.text)
    counts["short" if length < SHORT else "long" if length > LONG else "middling"] = 1
    if length < SHORT // 4:
        counts["tiny"] = 1
    if ": " in text[:200] or "\n\n" in text:
        counts["with_material"] = 1
    if prompt.tools:
        counts["tools"] = 1
    return {cue: 1.0 if count == 1 else 1.7 for cue, count in counts.items()}


def weighed(cues: Mapping[str, float], weights: Mapping[str, Sequence[float]], sharpness: float) -> tuple[Task, float]:
    """The likeliest task and its share."""
    totals = [0.0] * len(TASKS)
    for cue, amount in cues.items():
        for index, weight in enumerate(weights.get(cue, ())):
            totals[index] += weight * amount
    best = max(range(len(TASKS)), key=totals.__getitem__)
    return TASKS[best], 1 / sum(math.exp((total - totals[best]) * sharpness) for total in totals)


def _of_words(lowered: str) -> Iterator[str]:
    words = _WORD.findall(lowered)
    for word in set(words):
        if (found := _BY_WORD.get(word)) is not None:
            yield from found
            if _LANGUAGE in found:
                place = words.index(word)
                if words[place - 1] in TOWARDS or words[place + 1 : place + 2] == ["to"]:
                    yield "into_language"
        elif len(word) >= _STEM_LENGTHS[-1]:
            for length in _STEM_LENGTHS:
                if (found := _BY_STEM.get(word[:length])) is not None:
                    yield from found
                    break
