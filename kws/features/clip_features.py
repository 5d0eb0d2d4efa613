"""The features of labelled clips, aligned to the clip itself where a lead-in goes before it."""

from collections.abc import Sequence

import numpy as np

from kws.audio.clip import Clip
from kws.errors import KwsError
from kws.features.example import FeatureExample, snr_bucket
from kws.features.frontend import Frontend
from kws.features.params import FeatureParams


def check_clip(clip: Clip, params: FeatureParams, labels: Sequence[str]) -> None:
    """Raises KwsError, naming the clip, if its rate, length or label does not fit."""
    name = f"clip {clip.clip_id} ({clip.word or clip.label!r} of {clip.source})"
    if clip.sample_rate != params.sample_rate:
        raise KwsError(
            f"{name} has sample_rate={clip.sample_rate}, the frontend {params.sample_rate} Hz",
            hint="ingest and features must have the same sample_rate",
        )
    if clip.lead_in_ms < 0:
        raise KwsError(f"{name} has lead_in_ms={clip.lead_in_ms}: must be 0 or more")
    samples = len(clip.audio) - clip.lead_in_samples
    if samples != params.clip_samples:
        raise KwsError(
            f"{name} has {samples} samples after its lead-in of {clip.lead_in_ms} ms: "
            f"clip_duration_ms={params.clip_duration_ms} is {params.clip_samples}",
            hint="ingest and features must have the same clip_duration_ms",
        )
    if clip.label not in labels:
        raise KwsError(
            f"{name} has label {clip.label!r}, none of {list(labels)}",
            hint="the clips were ingested for other keywords",
        )


def features_of(clips: Sequence[Clip], frontend: Frontend) -> list[np.ndarray]:
    """Features `[frames, channels]` = `params.feature_shape` of each clip, in order.

    A clip's lead-in goes through the frontend first, to adapt its noise estimate, and its frames
    are dropped. So that the frames kept are those of the clip, the lead-in must be a whole number
    of strides: what is over is cut off at its beginning.

        lead-in           clip
        x|---|---|---|#####################      x: cut off
         dropped      |-----|
         frames          |-----|    ...          kept frames
    """
    stride, (frames, channels) = frontend.params.stride_samples, frontend.params.feature_shape
    out = np.empty((len(clips), frames, channels), frontend.dtype)
    aligned = [clip.audio[clip.lead_in_samples % stride :] for clip in clips]
    lengths = np.array([len(audio) for audio in aligned])
    for length in np.unique(lengths):
        (rows,) = np.nonzero(lengths == length)
        computed = frontend.compute_batch(np.stack([aligned[row] for row in rows]))
        out[rows] = computed[:, computed.shape[1] - frames :]
    return list(out)


def feature_example(clip: Clip, features: np.ndarray, labels: Sequence[str]) -> FeatureExample:
    """The clip's features with its slicing keys; labels as of `kws.labels.label_list`."""
    return FeatureExample(
        features=features,
        label_index=list(labels).index(clip.label),
        label=clip.label,
        word=clip.word,
        speaker=clip.speaker,
        source=clip.source,
        snr_bucket=snr_bucket(clip.snr_db),
        augmentation=clip.augmentation,
        novelty=clip.novelty,
        clip_id=clip.clip_id,
    )
