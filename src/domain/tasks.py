"""What a request is for: the seven tasks that models are compared by."""

from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec


class Task(StrEnum):
    """As a body's `task` names it, and a model's strengths."""

    CHAT = "chat"
    CODING = "coding"
    REASONING = "reasoning"
    SUMMARIZATION = "summarization"
    TRANSLATION = "translation"
    IMAGE = "image"
    AGENT_STEP = "agent_step"


Priority = Literal["cost", "quality", "balanced"]
"""What matters more where one has to be paid for with the other."""

Latency = Literal["low", "normal", "relaxed"]
"""How soon an answer is wanted. `relaxed` may wait for a cheaper tier."""


class Prompt(msgspec.Struct, frozen=True):
    """What of a request says what it is for: the text a person wrote last, and whether tools are at hand.

    `after_tool`: the last message is a tool's result, so that an agent is at work.
    """

    text: str
    tools: bool = False
    after_tool: bool = False


class Strength(msgspec.Struct, frozen=True):
    """How good a model is at a task, from 0 to 1, by whom and when that was said."""

    value: float
    source: str
    as_of: date
