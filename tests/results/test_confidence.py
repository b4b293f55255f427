"""The bound that trials without a failure prove."""

import pytest

from shaketable.results import confidence as bound


@pytest.mark.parametrize(("trials", "most"), [(1, 0.95), (3, 0.6316), (10, 0.2589), (59, 0.0495), (4211, 0.000711)])
def test_the_bound_is_that_of_clopper_and_pearson_for_zero_failures(trials: int, most: float) -> None:
    assert bound.upper(trials) == pytest.approx(most, rel=1e-3)


@pytest.mark.parametrize("trials", [30, 300, 100_000, 10**9])
def test_of_many_trials_it_is_the_rule_of_three(trials: int) -> None:
    assert bound.upper(trials) == pytest.approx(3 / trials, rel=0.06)


@pytest.mark.parametrize("trials", [1, 2, 7, 50])
def test_at_the_bound_no_failure_would_be_seen_just_as_often_as_one_may_be_wrong(trials: int) -> None:
    most = bound.upper(trials)
    assert most is not None
    assert (1 - most) ** trials == pytest.approx(0.05)


def test_no_trial_proves_nothing() -> None:
    assert bound.upper(0) is None
    assert bound.told(0) == "no trials: nothing is proved"


def test_it_is_told_in_a_sentence_that_never_claims_more_than_it_proves() -> None:
    assert bound.told(1) == "none in 1 trial: at most 95 % of trials, with 95 % confidence"
    assert bound.told(3) == "none in 3 trials: at most 64 % of trials, with 95 % confidence"
    assert bound.told(4211, "event") == "none in 4,211 events: at most 1 in 1,406 events, with 95 % confidence"


@pytest.mark.parametrize(("trials", "confidence"), [(-1, 0.95), (3, 0.0), (3, 1.0)])
def test_what_is_no_number_of_trials_or_no_confidence_is_refused(trials: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=f"got {trials}"):
        bound.upper(trials, confidence)
