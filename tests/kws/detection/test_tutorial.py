"""The tutorial's count, worked out by hand."""

from kws.detection.tutorial import tutorial_accuracy

SAID = [("yes", 1000.0), ("no", 5000.0), ("yes", 9000.0)]


def _counts(found, said=SAID, tolerance_ms=750.0):
    done = tutorial_accuracy(found, said, tolerance_ms)
    return (done.words, done.matched, done.correct, done.wrong, done.false_positives)


def test_a_word_within_the_tolerance_on_either_side_is_correct_or_wrong_else_false_positive() -> (
    None
):
    assert _counts([("yes", 250), ("no", 5750), ("yes", 9751)]) == (3, 2, 2, 0, 1)
    assert _counts([("no", 1000), ("no", 5000), ("up", 3000)]) == (3, 2, 1, 1, 1)


def test_a_second_detection_of_a_word_is_wrong() -> None:
    assert _counts([("yes", 900), ("yes", 1100)]) == (3, 2, 1, 1, 0)


def test_the_earlier_of_two_words_in_reach_is_taken_even_if_the_later_one_fits() -> None:
    said = [("yes", 1000.0), ("no", 1800.0)]
    assert _counts([("no", 1500)], said) == (2, 1, 0, 1, 0)


def test_it_is_printed_as_the_tutorial_prints_it() -> None:
    done = tutorial_accuracy([("yes", 1000), ("up", 5000), ("no", 7000)], SAID, 750)
    assert str(done) == ("66.7% matched, 33.3% correctly, 33.3% wrongly, 33.3% false positives")
    assert str(tutorial_accuracy([("yes", 1)], [])) == "no word was said, 1 false positives"
