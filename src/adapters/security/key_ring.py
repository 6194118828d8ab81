"""The master keys, newest first, and the file they are kept in when no setting gives them."""

import base64
import binascii
import hmac
import os
import re
import secrets
from itertools import pairwise
from pathlib import Path

from typing_extensions import override

KEY_BYTES = 32
_KID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_FEWEST_DISTINCT_BYTES = 16  # 32 random bytes have 30 different ones on average; 16 or fewer: 1 in 10^12
_HOW_TO_MAKE_ONE = (
    "make one with: python3 -c \"import os,base64;print('k1:'+base64.b64encode(os.urandom(32)).decode())\""
)


class MasterKeyInvalid(ValueError):
    """The master keys cannot be used; the message names the setting or file, and never shows a key."""


class KeyRing:
    """Master keys by key id. The newest seals; all of them open. Nothing uses a master key itself.

    Every purpose has its own key, derived with HKDF-SHA-256, so that a weakness in one use cannot reach another.
    """

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = dict(keys)

    @classmethod
    def parse(cls, text: str, source: str = "OMG_MASTER_KEYS") -> "KeyRing":
        """Read `kid:base64,kid2:base64`, newest first, 32 bytes each.

        Raises `MasterKeyInvalid`, naming `source`, for a malformed, short, repeated or guessable key (S-11).
        """
        keys: dict[str, bytes] = {}
        for number, entry in enumerate((part.strip() for part in text.strip().split(",")), start=1):
            kid, separator, encoded = entry.partition(":")
            if not separator or not _KID.fullmatch(kid):
                raise MasterKeyInvalid(
                    f"{source}: entry {number} is not 'kid:base64' with a kid of 1 to 32 letters, digits, '-' or '_'; "
                    + _HOW_TO_MAKE_ONE
                )
            if kid in keys:
                raise MasterKeyInvalid(f"{source}: the key id '{kid}' occurs twice; give every key its own.")
            keys[kid] = _decode(kid, encoded.strip(), source)
        if len(set(keys.values())) != len(keys):
            raise MasterKeyInvalid(f"{source}: two key ids have the same key; give every id its own.")
        return cls(keys)

    @classmethod
    def generate(cls) -> "KeyRing":
        """A ring of one new random key."""
        return cls({_new_kid(): os.urandom(KEY_BYTES)})

    def rotated(self) -> "KeyRing":
        """This ring with a new random key before the others."""
        return KeyRing({_new_kid(): os.urandom(KEY_BYTES)} | self._keys)

    @property
    def kids(self) -> tuple[str, ...]:
        """Key ids, newest first."""
        return tuple(self._keys)

    def derive(self, purpose: str) -> dict[str, bytes]:
        """A 32-byte key for `purpose` from each master key, newest first."""
        return {kid: _derive(key, purpose) for kid, key in self._keys.items()}

    def reveal(self) -> str:
        """The ring as `parse` reads it: for the key file alone."""
        return ",".join(f"{kid}:{base64.b64encode(key).decode()}" for kid, key in self._keys.items())

    @override
    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"


def open_key_ring(configured: str, path: Path) -> KeyRing:
    """The ring of the setting, else of the key file, which is made where it is missing.

    Raises `MasterKeyInvalid`, and `OSError` as `load_or_create_key_file`.
    """
    return KeyRing.parse(configured) if configured else load_or_create_key_file(path)[0]


def check_key_ring(configured: str) -> None:
    """Raises `MasterKeyInvalid` for a setting that cannot be used; makes nothing."""
    if configured:
        KeyRing.parse(configured)


def open_key_ring_to_rotate(configured: str, path: Path) -> KeyRing:
    """The ring to seal everything under anew: the setting's as it is, else the key file's, which gets a new key first.

    The old keys stay in the file, so that a stop in between loses nothing. Raises as `open_key_ring`.
    """
    ring = open_key_ring(configured, path)
    if configured:
        return ring
    ring = ring.rotated()
    draft = _draft_of(path)
    _write_new(draft, ring.reveal() + "\n")
    draft.replace(path)  # the file has the old content or the new one, never a part
    return ring


def load_or_create_key_file(path: Path) -> tuple[KeyRing, bool]:
    """The ring kept in `path`, and whether it was made now.

    A new file is 0600 in a folder made 0700, and appears whole or not at all: of several processes that
    start at once one creates it and the others read it. Raises `MasterKeyInvalid` where the file is no key
    file, and `OSError` where it can be neither read nor written.
    """
    try:
        return read_key_file(path), False
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    ring = KeyRing.generate()
    draft = _draft_of(path)
    try:
        _write_new(draft, ring.reveal() + "\n")
        os.link(draft, path)  # unlike a rename, this fails where another process was first
    except FileExistsError:
        return read_key_file(path), False
    finally:
        draft.unlink(missing_ok=True)
    return ring, True


def read_key_file(path: Path) -> KeyRing:
    """The ring kept in `path`. Raises `FileNotFoundError` and `MasterKeyInvalid`."""
    try:
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise MasterKeyInvalid(f"{path}: this is not a master key file.") from error
    return KeyRing.parse(text, source=str(path))


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _decode(kid: str, encoded: str, source: str) -> bytes:
    try:
        key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MasterKeyInvalid(f"{source}: the key '{kid}' is not base64; {_HOW_TO_MAKE_ONE}") from error
    if len(key) != KEY_BYTES:
        raise MasterKeyInvalid(
            f"{source}: the key '{kid}' has {len(key)} bytes and needs {KEY_BYTES}; {_HOW_TO_MAKE_ONE}"
        )
    if len(set(key)) <= _FEWEST_DISTINCT_BYTES or _is_text(key) or _is_a_sequence(key):
        raise MasterKeyInvalid(f"{source}: the key '{kid}' is an example or text, not random bytes; {_HOW_TO_MAKE_ONE}")
    return key


def _is_text(key: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in key)


def _is_a_sequence(key: bytes) -> bool:
    return len({(after - before) % 256 for before, after in pairwise(key)}) == 1


def _derive(key: bytes, purpose: str) -> bytes:
    """HKDF-SHA-256 without a salt, one block long (RFC 5869, 2.2 and 2.3): that needs no library of 8 MB."""
    extracted = hmac.digest(bytes(KEY_BYTES), key, "sha256")
    return hmac.digest(extracted, b"omg/v1/" + purpose.encode() + b"\x01", "sha256")


def _new_kid() -> str:
    return "k" + secrets.token_hex(4)
