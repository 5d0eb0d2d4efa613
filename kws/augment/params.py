"""Noisy copies of clips, and what else may happen to a voice on its way into a device."""

import pydantic

from kws.augment.codec import OPUS_KBPS, Codec
from kws.augment.speaking_styles import STYLES
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


def _together(params: Params, *shares: str, what: str) -> None:
    total = sum(getattr(params, share) for share in shares)
    if total > 1 + 1e-9:
        raise ValueError(
            f"{' + '.join(shares)} = {total:g}: a copy {what}, so these must add up to at most 1"
        )


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
    whisper_share: float = _share("whispered")
    shouted_share: float = _share("shouted")
    sleepy_share: float = _share("said as by somebody half asleep")
    questioning_share: float = _share("said as a question")
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
        _together(self, *(f"{name}_share" for name in STYLES), what="is said in one style")
        return self


class NoisyCopyParams(Params):
    """Background at a random SNR, a random time shift, a random gain."""

    copies: int = pydantic.Field(1, ge=0, le=200, description="noisy copies of each training clip")
    keyword_copies: int | None = pydantic.Field(
        None, ge=0, le=40, description="of each training clip of a keyword; None: as of the others"
    )
    eval_copies: int = pydantic.Field(
        1,
        ge=0,
        le=20,
        description="noisy copies of each eval and test clip, to slice results by SNR",
    )
    partial_copies: int = pydantic.Field(
        0,
        ge=0,
        le=40,
        description="copies of a part of each training clip of a keyword, or of it reversed, that "
        "are labelled _unknown_ (kws/augment/partial.py); half of them with speech around",
    )
    snr_db: Range = pydantic.Field((0.0, 25.0), description="range drawn from")
    quiet_share: float = _share("with hardly any background, at quiet_snr_db")
    quiet_snr_db: Range = pydantic.Field((25.0, 45.0), description="range drawn from")
    babble_share: float = _share("over two to six people of the split's negatives who talk at once")
    single_talker_share: float = _share("over one of them")
    babble_snr_db: Range | None = pydantic.Field(
        None, description="range drawn from over babble or a single talker; None: snr_db"
    )
    coloured_noise_share: float = _share("over noise with a spectrum of power 1/f^a")
    coloured_noise_exponent: Range = pydantic.Field((-0.2, 1.6), description="range of a")
    talk_before_share: float = _share("before whose word somebody else talks")
    talk_before_gap_s: Range = pydantic.Field(
        (0.15, 0.6), description="range of the pause between that and the word"
    )
    time_shift_ms: float = pydantic.Field(100.0, ge=0, description="at most so far either way")
    word_end_ms: Range | None = pydantic.Field(
        None,
        description="in place of time_shift_ms: where in the clip the word of a copy ends, range "
        "drawn from; what hears only the end of a long clip must find the whole word there",
    )
    gain_db: Range = pydantic.Field((-20.0, 6.0), description="range drawn from")
    lead_in_ms: int = pydantic.Field(
        1000, ge=0, description="background heard before the clip, so that the frontend has adapted"
    )
    augment: AugmentParams = pydantic.Field(
        AugmentParams(), description="rooms, speed, pitch, microphones, codecs; by default none"
    )
    seed: int = 0

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "NoisyCopyParams":
        names = ("snr_db", "quiet_snr_db", "coloured_noise_exponent", "talk_before_gap_s")
        given = [name for name in ("babble_snr_db", "word_end_ms") if getattr(self, name)]
        _ordered(self, *names, "gain_db", *given)
        _within(self, "coloured_noise_exponent", -2.0, 3.0)
        _within(self, "talk_before_gap_s", 0.0, 5.0)
        kinds = ("quiet_share", "babble_share", "single_talker_share", "coloured_noise_share")
        _together(self, *kinds, what="has one background")
        return self

    def copies_of(self, label: str, split: Split) -> int:
        """How many noisy copies of a clip are made."""
        if split != TRAIN:
            return self.eval_copies
        is_keyword = label not in RESERVED
        return self.copies if self.keyword_copies is None or not is_keyword else self.keyword_copies

    def partial_copies_of(self, label: str, split: Split) -> int:
        """How many copies of parts of a clip are made."""
        return self.partial_copies if split == TRAIN and label not in RESERVED else 0

    def most_copies(self, split: Split) -> int:
        """How many copies any clip of the split has, those of its parts too; 0: none is made."""
        if split != TRAIN:
            return self.eval_copies
        of_keywords = self.copies if self.keyword_copies is None else self.keyword_copies
        return max(self.copies, of_keywords + self.partial_copies)

    def needs_talkers(self, split: Split) -> bool:
        """Whether other people's speech is laid around the copies of a split."""
        shares = self.babble_share + self.single_talker_share + self.talk_before_share
        parts = self.partial_copies if split == TRAIN else 0
        return bool(self.most_copies(split) and (shares or parts))

    def without_talkers(self) -> "NoisyCopyParams":
        """The same where nobody else's speech is at hand: over recordings in its place."""
        names = ("babble_share", "single_talker_share", "talk_before_share", "partial_copies")
        return self.model_copy(update=dict.fromkeys(names, 0))
