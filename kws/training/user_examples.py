"""What a personalisation learns from: a user's clips in noise, and the original examples again."""

import heapq
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from kws import features as frontends
from kws.audio import noise
from kws.audio.clip import Clip
from kws.augment.gain import to_int16
from kws.augment.mix import noisy_copy
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.augment.rooms import room_bank
from kws.augment.seed import digest, generator
from kws.features.clip_features import feature_example, features_of
from kws.features.example import FeatureExample
from kws.features.params import FeatureParams
from kws.splits import Split

_LITTLE_CHANGED = AugmentParams(
    speed_share=0.3, speed=(0.92, 1.08), tempo_share=0.3, tempo=(0.9, 1.15), equalizer_share=0.5
)
_PINK_S = 10
_PINK_RMS = 1000.0


def examples_of(
    clips: Sequence[Clip],
    backgrounds: Sequence[np.ndarray],
    copying: NoisyCopyParams,
    copies: int,
    split: Split,
    labels: Sequence[str],
    params: FeatureParams,
    seed: int,
) -> list[FeatureExample]:
    """Each clip, and after it its noisy copies, as examples.

    Args:
      clips: at the frontend's rate and of its length.
      backgrounds: int16 recordings at that rate; none: pink noise.
      copying: as in the original training. Where that changed no voice, a little is changed here:
        few clips of one voice are too much alike. Nobody talks around the clips: the speech that
        the original training had around its own is not at hand.
      copies: of each clip.
      split: whose rooms are used, where there is reverberation.
      labels: of the model.
      params: of the frontend.
      seed: of the copies.
    """
    rate = params.sample_rate
    if not backgrounds:
        pink = noise.pink(_PINK_S * rate, generator(seed, "pink"))
        backgrounds = [to_int16(pink * np.float32(_PINK_RMS / pink.std()))]
    if copying.augment == AugmentParams():
        copying = copying.model_copy(update={"augment": _LITTLE_CHANGED})
    copying = copying.without_talkers()
    augment = copying.augment
    rooms = room_bank(seed, split, augment.rooms, rate) if augment.reverb_share and copies else ()
    heard = []
    for clip in clips:
        heard.append(clip)
        for number in range(copies):
            rng = generator(seed, "personal", clip.clip_id, number)
            background = backgrounds[int(rng.integers(len(backgrounds)))]
            heard.append(noisy_copy(clip, background, copying, rng, rooms))
    computed = features_of(heard, frontends.create(params))
    return [
        feature_example(clip, values, labels) for clip, values in zip(heard, computed, strict=True)
    ]


def replayed(examples: Iterable[FeatureExample], count: int, seed: int) -> list[FeatureExample]:
    """At most `count` of the original examples, by hash: spread over the labels as they were."""

    def rank(example: FeatureExample) -> bytes:
        # The content tells copies of one clip apart.
        content = zlib.crc32(np.ascontiguousarray(example.features).tobytes())
        return digest(seed, "replay", example.clip_id, content)

    return heapq.nsmallest(count, examples, key=rank)
