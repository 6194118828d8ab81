"""Ports that say what a request is for, and which models are good at that."""

from collections.abc import Mapping
from typing import Protocol

from domain.routing import TaskReading
from domain.tasks import Prompt, Strength, Task


class TaskClassifier(Protocol):
    """Reads a task off a prompt. Never raises: who is not sure, or cannot say, answers with no name."""

    async def read(self, prompt: Prompt) -> TaskReading:
        """`confidence` is how often such an answer is right, from 0 to 1."""
        ...


class ShippedStrengths(Protocol):
    """What public comparisons say of families of models. Facts at hand, kept after the first question."""

    def of(self, model: str) -> Mapping[Task, Strength]:
        """By any provider's name for the model; tasks that nobody compared it at are left out."""
        ...

    def medians(self) -> Mapping[Task, float]:
        """Of every task what half of the known families reach: taken for a model of which nothing is known."""
        ...
