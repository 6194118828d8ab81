"""How long answers usually are."""

from application.admission.outputs import LEAST_TOKENS, PRIOR_TOKENS, OutputEstimates


def fed(*answers: int, key_id: str = "key_1") -> OutputEstimates:
    outputs = OutputEstimates()
    for tokens in answers:
        outputs.add(key_id, "m", tokens)
    return outputs


def test_what_is_not_known_is_a_prior() -> None:
    assert fed(*[100] * 19).likely("key_1", "m") == PRIOR_TOKENS
    assert fed(*[100] * 20).likely("key_1", "other") == PRIOR_TOKENS


def test_an_estimate_is_at_most_two_fifths_above_the_95th_percentile() -> None:
    outputs = fed(*[1_000] * 96, *[60_000] * 4)

    assert 1_000 <= outputs.likely("key_1", "m") <= 1_420


def test_no_estimate_is_less_than_512() -> None:
    assert fed(*[3] * 50).likely("key_1", "m") == LEAST_TOKENS


def test_a_new_key_learns_from_the_others_of_its_model() -> None:
    outputs = fed(*[10_000] * 30, key_id="key_1")

    assert 10_000 <= outputs.likely("key_2", "m") <= 14_200


def test_what_a_key_does_now_counts_more_than_what_it_did() -> None:
    outputs = fed(*[30_000] * 600, *[700] * 2_000)

    assert outputs.likely("key_1", "m") < 1_100
