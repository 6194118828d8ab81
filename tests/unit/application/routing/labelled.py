"""The labelled prompts: `lang|flags<TAB>text`, a file a task, split for good by a hash of the text.

Of flags, `h` marks a prompt that is short and hard; `tools=…` names tools, and `last=tool` says that the text is a
tool's result.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from domain.tasks import Prompt, Task

FOLDER = Path(__file__).parent / "prompts"
HELD_OUT = 3
"""One of so many is held out."""


class Labelled(NamedTuple):
    task: Task
    language: str
    hard: bool
    prompt: Prompt
    held_out: bool


def labelled() -> list[Labelled]:
    """All of them, by task and in the order of the files."""
    found = []
    for task in Task:
        for line in (FOLDER / f"{task.value}.txt").read_text(encoding="utf-8").splitlines():
            head, _, text = line.partition("\t")
            language, _, flags = head.partition("|")
            words = flags.split(";")
            text = text.replace("\\n", "\n").replace("\\t", "\t")
            prompt = Prompt(text, any(word.startswith("tools=") for word in words), "last=tool" in words)
            found.append(Labelled(task, language, "h" in words, prompt, is_held_out(text)))
    return found


def is_held_out(text: str) -> bool:
    """Whether nothing may be tuned by this prompt."""
    return hashlib.sha256(text.encode()).digest()[0] % HELD_OUT == 0
