"""OpenAI's list of models, of one provider, asked with OpenAI's client."""

from tests.matrix.bench import Bench
from tests.matrix.rows import Row


def plain(bench: Bench, row: Row) -> None:
    found = bench.models(row)

    assert any(model.endswith("sim-echo") for model in found)
    assert any(model.endswith("sim-split-utf8") for model in found), "the last one, which may be on another page"
