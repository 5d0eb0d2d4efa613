"""Rules on labels are SQL that TFDV evaluates: any keyword may stand in it."""

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.anomalies.proto import custom_validation_config_pb2
from tensorflow_data_validation.api import validation_api

from kws.corpus.params import MinClipsParams, ValidationParams
from schemas.rules import rules


def broken(labels, keywords, params, split="train"):
    """The descriptions of the rules on numbers of clips that do not hold."""
    statistics = tfdv.generate_statistics_from_dataframe(pd.DataFrame({"label": labels}))
    config = custom_validation_config_pb2.CustomValidationConfig()
    for rule in rules(keywords, params, split):
        if rule.label is None:
            validation = config.feature_validations.add()
            validation.feature_path.step.append(rule.feature)
            validation.validations.add(
                sql_expression=rule.sql, severity=2, description=rule.description
            )
    found = validation_api.custom_validate_statistics(statistics, config)
    return [reason.short_description for reason in found.anomaly_info["label"].reason]


@pytest.mark.parametrize("keyword", ["ok toaster", "it's", 'say "hi"', "a\\b", "größe", "开"])
def test_a_keyword_may_be_any_text(keyword):
    params = ValidationParams(min_clips_per_keyword=MinClipsParams(train=3))
    assert broken([keyword] * 3, [keyword], params) == []
    assert broken([keyword] * 2, [keyword], params) == [f"fewer than 3 clips of {keyword!r}"]


def test_every_split_has_its_own_least_number():
    params = ValidationParams(min_clips_per_keyword=MinClipsParams(train=4, eval=2))
    assert broken(["yes"] * 3, ["yes"], params, "train")
    assert not broken(["yes"] * 3, ["yes"], params, "eval")


def test_only_keywords_are_balanced_and_a_missing_one_is_not_infinitely_rare():
    params = ValidationParams(max_class_imbalance=2, min_clips_per_keyword=MinClipsParams(train=0))
    assert not broken(["yes", "no"] + ["_unknown_"] * 9, ["yes", "no", "up"], params)
    assert broken(["yes"] * 3 + ["no"], ["yes", "no"], params)
