"""Counts tokens by classes of characters: what can be said of a text without a vocabulary, in microseconds.

Each byte of the text's UTF-8 has one of sixteen classes, and each pair of neighbours weighs so many tokens: a letter
that begins a word more than one inside it, a digit after a letter more than one after a digit. Letters of other
scripts weigh by their first byte. The weights are fitted to `o200k_base` on prose, code and data.
"""

from typing import Final
from zlib import adler32

from typing_extensions import override

from domain.ports.prices import TokenCounter

MAX_CHARACTERS: Final = 4_096
SAMPLES: Final = 8
SAMPLE_CHARACTERS: Final = 512
"""Of a longer text so many samples are counted, spread over it, and the rest is taken to be alike."""

_UNITS: Final = 64
"""Parts of a token that a weight is counted in: all of them fit into a byte."""

_CLASSES: Final = "LUDSNP-acripkzoe"
_RANGES: Final = (
    (0x00, 0x80, "P"),
    (ord("a"), ord("z") + 1, "L"),
    (ord("A"), ord("Z") + 1, "U"),
    (ord("0"), ord("9") + 1, "D"),
    (0x09, 0x0A, "S"),
    (0x0D, 0x0E, "S"),
    (0x20, 0x21, "S"),
    (0x0A, 0x0B, "N"),
    (0x80, 0xC0, "-"),  # what follows a first byte
    (0xC0, 0xCD, "a"),  # Latin with marks
    (0xCD, 0xD0, "r"),  # Greek
    (0xD0, 0xD4, "c"),  # Cyrillic
    (0xD4, 0xE0, "r"),  # Armenian, Hebrew, Arabic
    (0xE0, 0xE1, "i"),  # India, Thailand
    (0xE1, 0xE2, "a"),  # Vietnamese among them
    (0xE2, 0xE3, "p"),  # typographic signs
    (0xE3, 0xE4, "k"),  # kana
    (0xE4, 0xEA, "z"),  # Han
    (0xEA, 0xEE, "o"),  # Hangul
    (0xEE, 0x100, "e"),  # full-width forms, emoji
)
_ALONE: Final = {
    "L": 0.112, "U": 0.246, "D": 0.3, "S": 0.0, "N": 0.625, "P": 0.551, "-": 0.0, "a": 0.65, "c": 0.33, "r": 0.4,
    "i": 0.411, "p": 1.1, "k": 0.911, "z": 0.72, "o": 0.74, "e": 1.462,
}  # fmt: skip
"""Tokens of a first byte, whatever stands before it."""

_AFTER: Final = (
    ("SN", "LU", 0.619),  # a word
    ("PD", "LU", 0.524),  # a word after a sign
    ("L", "U", 1.45),  # camelCase, and the disorder of base64
    ("LUSNP-", "D", 0.95),  # a number
    ("SNP", "acri", 0.043),
)
"""What a character weighs more after one of these."""


def _tables() -> tuple[bytes, bytes]:
    """The class of each byte, and the weight of each pair of classes, the later in the high half."""
    classes = bytearray(256)
    for first, end, name in _RANGES:
        classes[first:end] = bytes([_CLASSES.index(name)]) * (end - first)
    weights = bytearray(256)
    for later, name in enumerate(_CLASSES):
        for before, other in enumerate(_CLASSES):
            more = sum(extra for befores, laters, extra in _AFTER if other in befores and name in laters)
            weights[later << 4 | before] = round((_ALONE[name] + more) * _UNITS)
    return bytes(classes), bytes(weights)


_CLASS_OF, _WEIGHT_OF = _tables()
_AT_BEGIN: Final = _CLASSES.index("N")
_SUMMED_AT_ONCE: Final = 65_520 // max(_WEIGHT_OF)
"""The low half of Adler-32 is one and the sum of the bytes, modulo 65,521 (RFC 1950): ten times as quick as `sum`."""


class CharacterClassCounter(TokenCounter):
    """By classes of characters, without a vocabulary: twenty microseconds for a thousand characters, whatever they are,
    and less than a tenth of a millisecond for any text."""

    @override
    def count(self, text: str) -> int:
        if not text:
            return 0
        length = len(text)
        counted = sampled(text, SAMPLES, SAMPLE_CHARACTERS)
        data = counted.encode(errors="surrogatepass")
        # The classes as one number, beside themselves moved by a byte: each byte then has a class and the one before.
        classes = int.from_bytes(data.translate(_CLASS_OF), "little")
        pairs = (classes << 4 | classes << 8 | _AT_BEGIN).to_bytes(len(data) + 1, "little")[:-1]
        weights = pairs.translate(_WEIGHT_OF)
        total = 0
        for start in range(0, len(weights), _SUMMED_AT_ONCE):
            total += (adler32(weights[start : start + _SUMMED_AT_ONCE]) & 0xFFFF) - 1
        tokens = (total + _UNITS // 2) // _UNITS or 1
        return tokens if counted is text else -(-tokens * length // len(counted))

    @override
    def prepare(self) -> None:
        """There is nothing to load."""


def sampled(text: str, samples: int, characters: int) -> str:
    """So many samples of so many characters of a text, spread over it evenly; the whole of one that is no longer."""
    if len(text) <= samples * characters:
        return text
    step = (len(text) - characters) // (samples - 1)
    return "".join([text[start * step : start * step + characters] for start in range(samples)])
