"""Token ids become the text they were made of, or nothing at all."""

import pytest

from adapters.tokens.text_of_tokens import load_cl100k


def test_ids_become_their_text() -> None:
    decode = load_cl100k()

    assert decode([15339, 289, 9603, 509]) == "hello wörld"
    assert decode([]) == ""


@pytest.mark.parametrize("ids", [[-1], [200_000], [15339, 10**12]])
def test_an_id_that_is_not_of_the_vocabulary_is_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="cl100k_base"):
        load_cl100k()(ids)
