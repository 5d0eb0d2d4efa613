"""The baseline is the last model that all judges blessed before the candidate, never the candidate
itself."""

from tfx.types import standard_artifacts

from components.baseline.strategy import LastBlessedBeforeStrategy
from kws.features import files
from kws.features.params import FeatureParams


def artifact(kind, id_, **properties):
    made = kind()
    made.id = id_
    for name, value in properties.items():
        made.set_int_custom_property(name, value)
    return made


def model(id_):
    return artifact(standard_artifacts.Model, id_)


def blessing(id_, of, blessed=1):
    return artifact(standard_artifacts.ModelBlessing, id_, current_model_id=of, blessed=blessed)


def resolve(candidate, models, blessings, of_other_judges=None):
    others = blessings if of_other_judges is None else of_other_judges
    found = LastBlessedBeforeStrategy().resolve_artifacts(
        None,
        {
            "candidate": [candidate],
            "model": models,
            "model_blessing": blessings,
            "streaming_blessing": others,
            "infra_blessing": others,
        },
    )
    return [item.id for item in found["model"]]


def test_the_first_candidate_has_no_baseline():
    assert resolve(model(5), [model(5)], []) == []


def test_an_unchanged_pipeline_does_not_compare_a_model_with_itself():
    assert resolve(model(5), [model(5)], [blessing(6, of=5)]) == []


def test_the_newest_blessed_of_the_older_ones_is_taken():
    models = [model(1), model(3), model(5), model(7)]
    blessings = [blessing(2, of=1), blessing(4, of=3), blessing(6, of=5, blessed=0)]
    assert resolve(model(7), models, blessings) == [3]


def test_a_model_that_only_the_evaluator_liked_is_no_baseline():
    models = [model(1), model(3), model(5)]
    liked = [blessing(2, of=1), blessing(4, of=3)]
    assert resolve(models[2], models, liked, of_other_judges=liked[:1]) == [1]


def test_a_model_of_other_features_is_no_baseline(tmp_path):
    def trained_on(id_, **params):
        made = model(id_)
        made.uri = str(tmp_path / str(id_))
        serving = tmp_path / str(id_) / "Format-Serving"
        serving.mkdir(parents=True)
        files.write(serving, FeatureParams(**params))
        return made

    models = [trained_on(1), trained_on(3, window_stride_ms=10), trained_on(5)]
    blessings = [blessing(2, of=1), blessing(4, of=3)]
    assert resolve(models[2], models, blessings) == [1]
    assert resolve(trained_on(7, frontend="mfcc"), models, blessings) == []
