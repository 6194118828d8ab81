"""What decoding bytes of an upstream can raise: they may be no JSON, no UTF-8, or nested without end."""

import msgspec

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
