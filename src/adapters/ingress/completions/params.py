"""What becomes of each parameter of legacy completions where chat carries them."""

from typing import Final

from domain.fidelity import HONORED, Fidelity, dropped, mapped, refused

COMPLETIONS_OVER_CHAT: Final[Fidelity] = {
    "best_of": dropped("chat has no such choice; `n` answers are made"),
    "echo": mapped("", "the prompt is put before each answer"),
    "frequency_penalty": HONORED,
    "logit_bias": HONORED,
    "logprobs": refused("chat's have another form"),
    "max_tokens": HONORED,
    "n": HONORED,
    "presence_penalty": HONORED,
    "seed": HONORED,
    "stop": HONORED,
    "stream": HONORED,
    "stream_options": HONORED,
    "suffix": refused("chat cannot fill a gap"),
    "temperature": HONORED,
    "top_p": HONORED,
    "user": HONORED,
}
