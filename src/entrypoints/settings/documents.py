"""Reads the two files settings may come from, and says which name was probably meant."""

import codecs
import io
from collections.abc import Collection, Mapping
from pathlib import Path

from entrypoints.settings.model import SettingsError


def read_yaml(path: Path) -> dict[str, object]:
    """The file's mapping; empty where it holds nothing. Raises `SettingsError`."""
    import yaml  # 30 ms: only where there is a file

    try:
        document = yaml.safe_load(_text(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{path.name}: not valid YAML{where}: {getattr(error, 'problem', '')}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(f"{path.name}: expected names and values, such as 'port: 8000'")
    return {str(name): value for name, value in document.items()}


def read_dotenv(path: Path) -> dict[str, str]:
    """The file's variables; empty where there is no file. Values are taken as they stand, without expansion."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        values = dotenv_values(stream=io.StringIO(_text(path)), interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read: {error}") from None
    return {name: value for name, value in values.items() if value is not None}


def _text(path: Path) -> str:
    """The file's text: UTF-8, or UTF-16 as PowerShell's `>` writes it. Raises `OSError`, `UnicodeDecodeError`."""
    data = path.read_bytes()
    return data.decode("utf-16" if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig")


def check_names(document: Mapping[str, object], known: Collection[str], file: str, path: str) -> None:
    """Raises `SettingsError` for the first name not in `known`, with the nearest one that is."""
    for name in document:
        if name not in known:
            raise SettingsError(f"{path}{name} ({file}): there is no such setting{nearest(str(name), known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean 'port'?`, or nothing where no known name is near."""
    import difflib  # for complaints alone

    close = difflib.get_close_matches(name, [*known], n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
