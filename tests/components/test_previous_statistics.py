"""Drift is measured from the last statistics accepted before, of an earlier span first."""

from tfx.types import standard_artifacts

from components.example_validator.previous import LastAcceptedBeforeStrategy


def statistics(id_, span=0):
    made = standard_artifacts.ExampleStatistics()
    made.id, made.span = id_, span
    return made


def accepted(*ids):
    made = []
    for id_ in ids:
        anomalies = standard_artifacts.ExampleAnomalies()
        anomalies.set_int_custom_property("statistics_id", id_)
        made.append(anomalies)
    return made


def previous(current, others, anomalies):
    found = LastAcceptedBeforeStrategy().resolve_artifacts(
        None, {"current": [current], "statistics": others, "anomalies": anomalies}
    )
    return [item.id for item in found["statistics"]]


def test_the_first_statistics_have_no_previous_ones():
    assert previous(statistics(5), [statistics(5)], []) == []


def test_statistics_are_never_compared_with_themselves_or_later_ones():
    others = [statistics(5), statistics(9)]
    assert previous(statistics(5), others, accepted(5, 9)) == []


def test_refused_statistics_are_not_taken():
    others = [statistics(1), statistics(3), statistics(5)]
    assert previous(statistics(7), others, accepted(1, 3)) == [3]


def test_the_latest_earlier_span_goes_before_another_version_of_the_same():
    others = [statistics(1, span=1), statistics(3, span=2), statistics(5, span=3)]
    assert previous(statistics(7, span=3), others, accepted(1, 3, 5)) == [3]


def test_without_an_earlier_span_it_is_the_last_ingestion():
    others = [statistics(1), statistics(3)]
    assert previous(statistics(7), others, accepted(1, 3)) == [3]
