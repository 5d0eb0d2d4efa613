"""A wrong configuration is refused at load, by the key's path and what would be right."""

import pytest

from kws.detection.params import DetectorParams
from kws.errors import KwsError
from pipeline.config import load, preset_names


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_that_ships_loads(preset):
    config = load(preset)
    assert config.keywords and config.name == preset


def test_what_sections_share_is_written_once_and_handed_down():
    config = load("quickstart", ["keywords=[on, off]", "seed=7", "clip_duration_ms=800"])
    assert config.ingest.keywords == config.voices.keywords == ("on", "off")
    assert config.training.seed == config.voices.seed == config.streams.seed == 7
    assert config.features.clip_duration_ms == config.ingest.clip_duration_ms == 800


def test_scenes_are_there_only_if_they_are_asked_for():
    assert load("quickstart").scenes is None
    config = load("quickstart", ["scenes={}", "model=null", "seed=7"])
    assert config.scenes.seed == 7
    assert config.scene_features.feature_shape == (499, 40)
    # The sizes of the trigger-word assignment.
    config = load("trigger_word")
    assert config.scene_features.feature_shape == (5511, 101)
    assert (config.scenes.steps, config.scenes.label_steps) == (1375, 50)


def test_yes_and_no_are_words_not_booleans():
    assert load("quickstart", ["keywords=[yes, no]"]).keywords == ("yes", "no")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epoch=3", "training.epoch: unknown key.*known here: epochs"),
        ("features.window_size_ms=10", "window_size_ms=10 is shorter than window_stride_ms=20"),
        ("keywords=[]", "keywords.*at least 1"),
        ("evaluation.min_accuracy=1.5", "evaluation.min_accuracy.*less than or equal to 1"),
        ("streaming.gates.max_miss_rate=35", "streaming.gates.max_miss_rate"),
        ("features.sample_rate=8000", "contradicts sample_rate=16000|within 0-4000 Hz"),
        ("streaming.detector.clip_stride_ms=50", "clip_stride_ms=50 is no multiple"),
        (
            "model={name: mixed_net, options: {stride: 5}}",
            "clip_stride_ms=120 is no multiple of the streaming .* 100, 200",
        ),
        ("evaluation.per_class={maybe: {min_recall: 0.5}}", r"per_class names \['maybe'\]"),
        ("keywords=[yes, yes]", "names a keyword twice"),
        ("scenes.label_steps=2000", "label_steps=2000 must be less than steps=1375"),
        ("scenes.positives=[4, 0]", r"positives=\[4, 0\] must rise"),
        (
            "training.background_mixing={}",
            "frontend micro do not add; only log_mel and spectrogram",
        ),
        ("training.early_stopping={metric: misses, clip_stride_ms: 50}", "clip_stride_ms=50 is no"),
        ("scenes={}", "model ds_cnn learns from clips, not from scenes"),
        (
            "streaming.gates.max_miss_rate_of_condition=0.2",
            r"max_miss_rate_of_condition needs streams.conditions: \[quiet, noise, babble",
        ),
        ("streaming.gates.min_recorded_hours=9", "min_recorded_hours=9 is more than .*hours=5"),
        ("streams.conditions=[bable]", "'bable' is not one of quiet, noise, babble, room, level"),
        ("nonsense", "not of the form section.key=value"),
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence(override, sentence):
    with pytest.raises(KwsError, match=sentence):
        load("quickstart", [override])


def test_a_limit_for_a_condition_that_is_not_laid_is_refused():
    laid = "streams.conditions=[quiet]"
    limit = "streaming.gates.max_miss_rate_of_condition={quiet: 0.1, babble: 0.4}"
    with pytest.raises(KwsError, match=r"names 'babble', streams.conditions are quiet"):
        load("quickstart", [laid, limit])
    assert load("quickstart", ["streams.conditions=[quiet, babble]", limit])


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(KwsError, match=r"no preset 'fast'.*quickstart"):
        load("fast")


def test_a_broken_yaml_file_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("keywords: [a, b\n")
    with pytest.raises(KwsError, match=r"mine\.yaml: not valid YAML"):
        load(str(path))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("scenes=null", "model trigger_gru answers at every step of a scene: give the section"),
        ("scenes.steps=1000", "gives 1375 answers in the 5511 frames .* write scenes.steps=1375"),
        ("keywords=[a, b]", "tells one trigger word from all else, give one"),
        ("training.steps.crop_steps=2000", "crop_steps=2000 is more than the 1375 steps"),
        ("training.warm_start=true", "training.warm_start is for models that learn from clips"),
        ("streaming.detector.clip_stride_ms=9", "clip_stride_ms=9 is no multiple of the streaming"),
    ],
)
def test_scenes_and_the_model_that_answers_at_every_step_must_fit_each_other(override, message):
    assert load("trigger_word").model.name == "trigger_gru"
    with pytest.raises(KwsError, match=message):
        load("trigger_word", [override])


def test_the_preset_chimes_by_the_assignments_rule():
    config = load("trigger_word")
    assert config.streaming.detector == DetectorParams(
        rule="steps", detection_threshold=0.5, steps_between=75, clip_stride_ms=7
    )


def test_the_detector_of_a_model_for_esphome_is_one_that_it_has():
    for_esphome = [
        "model.name=mixed_net",
        "model.options={ending: sigmoid}",
        "features.window_stride_ms=10",
        "streaming.detector.clip_stride_ms=30",
        "streaming.detector.rule=sliding_mean",
    ]
    assert load("keyword", for_esphome).model.options == {"ending": "sigmoid"}
    for override, message in (
        ("streaming.detector.rule=average", r"streaming.detector has rule=average, and .* sliding"),
        (
            "streaming.operating_point.consecutive_counts=[3]",
            r"streaming.operating_point.consecutive_counts has rule=consecutive",
        ),
        ("streaming.detector.clip_stride_ms=60", r"clip_stride_ms=60, .* every step of 30 ms"),
    ):
        with pytest.raises(KwsError, match=message):
            load("keyword", [*for_esphome, override])
        # With another frontend there is no such file, and nothing to keep to.
        load("keyword", [*for_esphome, override, "features.pcan_strength=0.9"])
        # Nor for several keywords.
        load("keyword", [*for_esphome, override, "keywords=[a, b]"])


def test_budgets_of_a_device_that_nobody_knows_are_refused():
    assert load("keyword", ["budget.targets=[esp32-s3]"]).budget.targets == ("esp32-s3",)
    with pytest.raises(KwsError, match=r"target='z80' is not known .one of esp32, esp32-s3"):
        load("keyword", ["budget.targets=[z80]"])


def test_a_credential_is_refused_and_not_repeated():
    with pytest.raises(KwsError, match=r"beam_pipeline_args\[0\] looks like") as error:
        load("quickstart", ["beam_pipeline_args=[--s3_secret_access_key=hunter2]"])
    assert "hunter2" not in str(error.value)


def test_a_file_may_be_based_on_a_preset_and_takes_its_sections_whole(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("based_on: keyword\nkeywords: [toaster]\ntraining: {epochs: 3}\n")
    config, below = load(str(file)), load("keyword")
    assert config.keywords == ("toaster",) and config.voices.unknown_words
    assert config.voices == below.voices.model_copy(update={"keywords": ("toaster",)})
    assert config.training.epochs == 3
    assert config.training.learning_rate == type(below.training)().learning_rate


@pytest.mark.parametrize("base", ["fast", "[keyword]", "keyword_large"])
def test_a_base_that_is_not_a_preset_or_has_one_itself_is_refused(base, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(f"based_on: {base}\n")
    with pytest.raises(KwsError, match="based_on"):
        load(str(file))


def test_the_large_tier_is_trained_on_the_voices_of_the_small_one_by_the_speech_embedding():
    large, small = load("keyword_large"), load("keyword")
    assert large.voices == small.voices
    assert large.model.name == "speech_embedding" and large.needs_speech_embedding
    assert not load("quickstart").needs_speech_embedding
    with pytest.raises(KwsError, match="write teacher: null"):
        load("keyword_large", ["training.spotting={}"])
