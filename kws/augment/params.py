"""Noisy copies of clips, and what else may happen to a voice on its way into a device."""

import pydantic

from kws.augment.codec import OPUS_KBPS, Codec
from kws.labels import RESERVED
from kws.params import Params
from kws.splits import TRAIN, Split

Range = tuple[float, float]


def _ordered(params: Params, *names: str) -> None:
    for name in names:
        low, high = getattr(params, name)
        if low > high:
            raise ValueError(f"{name}=[{low}, {high}] runs backwards: give the lower value first")


def _within(params: Params, name: str, least: float, most: float) -> None:
    low, high = getattr(params, name)
    if low < least or high > most:
        raise ValueError(f"{name}=[{low:g}, {high:g}] leaves {least:g} to {most:g}")


def _share(what: str) -> float:
    return pydantic.Field(0.0, ge=0, le=1, description=f"share of the copies {what}")


class AugmentParams(Params):
    """How many of the noisy copies are changed, and how much. By default none is.

    Each augmentation draws by itself: turning one on or off changes no other, nor the background,
    its ratio, the shift or the gain.
    """

    speed_share: float = _share("said faster and higher, or slower and lower")
    speed: Range = pydantic.Field((0.85, 1.15), description="factor on pace and pitch together")
    tempo_share: float = _share("said faster or slower at the same pitch")
    tempo: Range = pydantic.Field((0.8, 1.25), description="factor on the pace alone")
    pitch_share: float = _share("said higher or lower at the same pace")
    pitch_semitones: Range = pydantic.Field((-2.0, 2.0), description="range drawn from")
    reverb_share: float = _share("said in a room")
    rooms: int = pydantic.Field(
        30, ge=1, le=1000, description="simulated rooms of each split; no split shares one"
    )
    equalizer_share: float = _share("heard through another microphone")
    clipping_share: float = _share("clipped")
    clipping_db: Range = pydantic.Field(
        (1.0, 12.0), description="how far the peak would have passed the limit"
    )
    codec_share: float = _share("that went through a codec")
    codecs: tuple[Codec, ...] = pydantic.Field(("mu_law", "opus"), min_length=1)
    opus_kbps: Range = pydantic.Field((8.0, 32.0), description="range drawn from")

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "AugmentParams":
        _ordered(self, "speed", "tempo", "pitch_semitones", "clipping_db", "opus_kbps")
        _within(self, "speed", 0.5, 2.0)
        _within(self, "tempo", 0.5, 2.0)
        _within(self, "pitch_semitones", -12.0, 12.0)
        _within(self, "clipping_db", 0.0, 40.0)
        _within(self, "opus_kbps", *OPUS_KBPS)
        return self


class NoisyCopyParams(Params):
    """Background at a random SNR, a random time shift, a random gain."""

    copies: int = pydantic.Field(1, ge=0, le=20, description="noisy copies of each training clip")
    keyword_copies: int | None = pydantic.Field(
        None, ge=0, le=40, description="of each training clip of a keyword; None: as of the others"
    )
    eval_copies: int = pydantic.Field(
        1,
        ge=0,
        le=20,
        description="noisy copies of each eval and test clip, to slice results by SNR",
    )
    snr_db: tuple[float, float] = pydantic.Field((0.0, 25.0), description="range drawn from")
    time_shift_ms: float = pydantic.Field(100.0, ge=0, description="at most so far either way")
    gain_db: tuple[float, float] = pydantic.Field((-20.0, 6.0), description="range drawn from")
    lead_in_ms: int = pydantic.Field(
        1000, ge=0, description="background heard before the clip, so that the frontend has adapted"
    )
    augment: AugmentParams = pydantic.Field(
        AugmentParams(), description="rooms, speed, pitch, microphones, codecs; by default none"
    )
    seed: int = 0

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "NoisyCopyParams":
        _ordered(self, "snr_db", "gain_db")
        return self

    def copies_of(self, label: str, split: Split) -> int:
        """How many noisy copies of a clip are made."""
        if split != TRAIN:
            return self.eval_copies
        is_keyword = label not in RESERVED
        return self.copies if self.keyword_copies is None or not is_keyword else self.keyword_copies

    def most_copies(self, split: Split) -> int:
        """How many noisy copies any clip of the split has; 0: none is made."""
        return max(self.copies, self.keyword_copies or 0) if split == TRAIN else self.eval_copies
