"""Fields of objects as one types them in a shell."""

import click
import pytest

from entrypoints.cli.objects import fields_of


def test_what_reads_as_json_is_that_and_the_rest_is_text() -> None:
    given = ("name=Research", 'limits={"rpm": 5}', "cidrs=null", 'tags=["a"]', "external_id=a=b", "strict=true")

    assert fields_of(given) == {
        "name": "Research",
        "limits": {"rpm": 5},
        "cidrs": None,
        "tags": ["a"],
        "external_id": "a=b",
        "strict": True,
    }


@pytest.mark.parametrize("text", ["name", "=x", ""])
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write name=value"):
        fields_of((text,))
