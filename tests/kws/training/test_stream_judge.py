"""An epoch is judged by what its model misses on streams at the target rate."""

import numpy as np
import pytest
import soundfile

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.models import registry
from kws.scenes.ground_truth import GroundTruth, Word
from kws.training.objective import Evaluation
from kws.training.params import EarlyStoppingParams
from kws.training.stream_judge import EvalStreams, SpotterOnStreams, StreamJudge
from tests.kws.training.test_spotting import FEATURES, MODEL, STEP, spotter

PARAMS = FeatureParams(clip_duration_ms=230, feature_bin_count=8)  # 11 frames of 30 ms every 20 ms
LABELS = ("_silence_", "_unknown_", "yes")
ON_CLIPS = Evaluation(
    accuracy=0.9, cross_entropy=0.3, examples=10, confusion=((10,),), merit=(0.9, -0.3)
)


def word(start_ms: int) -> Word:
    return Word(
        label="yes",
        word="yes",
        start_ms=start_ms,
        end_ms=start_ms + 500,
        speaker="a",
        source="b",
        clip_id="c",
    )


def streams(loudness: dict[int, float]) -> EvalStreams:
    """A minute with words at 2 s and 10 s; what sounds where is told by features of that size."""
    features = np.zeros((3000, 8), np.uint16)
    for start_ms, value in loudness.items():
        features[start_ms // 20 : (start_ms + 700) // 20] = round(value / 0.0390625 * 10)
    truth = GroundTruth(
        stream_id="words",
        kind="words",
        duration_ms=60_000,
        sample_rate=16000,
        words=(word(2000), word(10_000)),
    )
    return EvalStreams(PARAMS, [(truth, features)])


def hears(inputs, training):
    """A "model": the keyword's posterior is the loudness of the window."""
    import tensorflow as tf

    keyword = tf.reduce_mean(inputs, axis=(1, 2)) / 10
    return tf.stack([1 - keyword, tf.zeros_like(keyword), keyword], axis=1)


def judged(heard: EvalStreams, target: float) -> Evaluation:
    params = EarlyStoppingParams(metric="misses", target_false_accepts_per_hour=target)
    return StreamJudge(hears, LABELS, heard, params)(ON_CLIPS)


def test_misses_are_counted_at_the_threshold_that_keeps_to_the_target():
    # The second word is fainter than a noise at 30 s: one is missed, or 60 an hour are accepted.
    heard = streams({2000: 0.9, 10_000: 0.4, 30_000: 0.6})
    strict, lax = judged(heard, 0), judged(heard, 60)
    assert strict.metrics == {"miss_rate": 0.5, "false_accepts_per_hour": 0.0}
    assert lax.metrics == {"miss_rate": 0.0, "false_accepts_per_hour": 60.0}
    assert strict.accuracy == 0.9


def test_the_merit_goes_by_misses_then_false_accepts_then_the_clips():
    none_missed = judged(streams({2000: 0.9, 10_000: 0.9}), 60)
    with_noise = judged(streams({2000: 0.9, 10_000: 0.4, 30_000: 0.6}), 60)
    one_missed = judged(streams({2000: 0.9}), 60)
    out_of_reach = judged(streams({2000: 0.5, 10_000: 0.5, 30_000: 0.999}), 0)
    merits = [e.merit for e in (none_missed, with_noise, one_missed)]
    assert merits == sorted(merits, reverse=True) and len(set(merits)) == 3
    assert out_of_reach.merit < one_missed.merit
    assert none_missed.merit[-2:] == ON_CLIPS.merit


def test_the_streams_of_every_condition_of_a_folder_count(tmp_path):
    truth = streams({}).streams[0][0]
    for name in ("quiet", "babble"):
        own = truth.model_copy(update={"stream_id": f"words-{name}", "condition": name})
        (tmp_path / f"words-{name}.json").write_text(own.to_json())
        soundfile.write(tmp_path / f"words-{name}.wav", np.zeros(60 * 16_000, np.int16), 16_000)
    read = EvalStreams.read(tmp_path, PARAMS)
    assert [truth.condition for truth, _ in read.streams] == ["babble", "quiet"]
    (found, features), quiet = streams({2000: 0.9, 10_000: 0.9}).streams[0], streams({}).streams[0]
    every = EvalStreams(PARAMS, [(found, features), quiet])
    assert judged(every, 60.0).metrics["miss_rate"] == 0.5


def test_a_spotter_that_cannot_be_asked_that_often_is_refused_before_anything_is_trained():
    params = PARAMS.model_copy(update={"context_ms": 150})
    heard = EvalStreams(params, streams({2000: 0.9}).streams, frames_per_step=3)
    with pytest.raises(
        KwsError, match=r"clip_stride_ms=100 .* the streaming model's step of 60 ms"
    ):
        StreamJudge(hears, LABELS, heard, EarlyStoppingParams(metric="misses", clip_stride_ms=100))


def test_a_folder_without_streams_is_refused(tmp_path):
    with pytest.raises(KwsError, match="holds no stream"):
        EvalStreams.read(tmp_path, PARAMS)


def test_streams_without_a_keyword_are_refused_before_anything_is_trained():
    silent = streams({})
    truths = [(truth.model_copy(update={"words": ()}), rows) for truth, rows in silent.streams]
    params = EarlyStoppingParams(metric="misses")
    with pytest.raises(KwsError, match="the 1 eval streams hold no keyword"):
        StreamJudge(hears, LABELS, EvalStreams(PARAMS, truths), params)


def test_on_streams_a_spotter_gives_what_its_one_step_form_gives_frame_by_frame():
    import tensorflow as tf

    model = spotter(3)
    step_form = registry.build_step(MODEL, FEATURES.context_shape, len(LABELS), model)
    scored = SpotterOnStreams(model, LABELS, FEATURES, STEP)
    features = np.random.default_rng(4).integers(0, 300, (200, 8)).astype(np.uint16)
    inputs = features.astype(np.float32) * np.float32(10 / 256)
    answer = tf.function(lambda frames: step_form(frames, training=False))
    expected = np.stack([answer(inputs[None, 3 * k : 3 * k + 3]).numpy()[0] for k in range(66)])
    whole = scored.stream(features)
    assert whole.shape == (66, 3) and expected[:, 2].std() > 0.003
    full = slice(scored.warm_up_steps + 1, None)  # 38 frames are 12 steps and 2 frames
    assert scored.warm_up_steps == 11
    np.testing.assert_allclose(whole[full], expected[full], atol=1e-5)
    # In pieces, one shorter than a clip; then a new stream, of which nothing is remembered.
    pieces = [features[:99], features[99:111], features[111:198]]
    parts = [scored.stream(piece, fresh=not i) for i, piece in enumerate(pieces)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    np.testing.assert_allclose(scored.stream(features[:60]), whole[:20], atol=1e-5)
    assert scored.stream(features[:2]).shape == (0, 3)
    # The weights are those of the time.
    model.get_layer("logits_head").kernel.assign_add(
        0.2 * np.ones_like(model.get_layer("logits_head").kernel)
    )
    assert np.abs(scored.stream(features) - whole).max() > 1e-3
