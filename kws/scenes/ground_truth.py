"""Ground truth of a stream: which word was laid where."""

from typing import Literal

from kws.params import Params

StreamKind = Literal["words", "negatives"]


class Word(Params):
    """One word in a stream.

    Attributes:
      label: a keyword, or `_unknown_`.
      word: what was really said ("" where unknown).
      start_ms: where the active speech begins (see `kws.augment.level`), from the stream's
        beginning; the silence around the word in its clip does not count.
      end_ms: where it ends.
      speaker: who says it.
      source: that its clip is from.
      clip_id: of its clip.
      snr_db: RMS of the word's active frames over the RMS of the background section it lies in;
        None where the background is digital silence.
    """

    label: str
    word: str
    start_ms: int
    end_ms: int
    speaker: str
    source: str
    clip_id: str
    snr_db: float | None = None


class Span(Params):
    """A part of a stream, in ms from its beginning.

    Attributes:
      start_ms: where it begins.
      end_ms: where it ends.
      source: the collection that its recording is from; "" where unknown.
      synthesized: whether a text-to-speech voice talks.
    """

    start_ms: int
    end_ms: int
    source: str = ""
    synthesized: bool = False


class GroundTruth(Params):
    """What there is to hear in one stream. `to_json` and `from_json` are each other's inverse.

    Attributes:
      stream_id: also the name of its files.
      kind: "words" over background, or "negatives": recordings in which no keyword is said.
      duration_ms: of the whole stream, rounded down.
      sample_rate: Hz.
      words: in the order of their time, never overlapping; empty for negatives.
      negatives: sections from recordings without keywords: those that were put into a stream of
        words (`kws.scenes.negatives`); of a stream of negatives, all that it is joined of whose
        collection is known, and all that is synthesized.
      condition: how the words sound, one of `kws.scenes.params.CONDITIONS` or a configured one;
        "" in a mixture, in negatives, and where nothing is known.
    """

    stream_id: str
    kind: StreamKind
    duration_ms: int
    sample_rate: int
    words: tuple[Word, ...] = ()
    negatives: tuple[Span, ...] = ()
    condition: str = ""
