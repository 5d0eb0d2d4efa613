"""Who says what, and how: the corpus as a list, before anything is said."""

from kws.errors import KwsError
from kws.voices import engines, plan_sentences, pronounce
from kws.voices.cast import cast
from kws.voices.extra_cast import extra_cast
from kws.voices.near_words import NearWord, near_words
from kws.voices.params import VoicesParams
from kws.voices.plan_sentences import SENTENCES_FILE, sentences
from kws.voices.plan_words import said_by, said_in_bulk
from kws.voices.utterance import Utterance

__all__ = ["SENTENCES_FILE", "Utterance", "plan", "planned_near_words", "sentences"]


def plan(params: VoicesParams) -> list[Utterance]:
    """Every utterance of the corpus, in a fixed order; equal params give equal lists.

    Raises:
      KwsError: for a word that cannot be said or cannot name a folder, or that sounds like a
        keyword and is none: nobody could tell them apart.
    """
    phonemes = _words(params)
    near = planned_near_words(params)
    near_phonemes = {word.text: word.phonemes for word in near}
    near_texts = [word.text for word in near if word.kind in ("word", "phrase")]
    voices = cast(params)
    kokoro = {split: [(engines.KOKORO, v) for v in names] for split, names in voices.items()}
    extra = extra_cast(params)
    takes, extra_takes = params.kokoro_takes, params.extra_takes
    return [
        *said_by(params, kokoro, phonemes, takes, params.kokoro_unknown_takes),
        *said_in_bulk(params, phonemes, params.hibari_takes),
        *plan_sentences.own(params, voices),
        *said_by(params, kokoro, near_phonemes, takes, params.near_word_takes),
        *said_in_bulk(params, near_phonemes, params.hibari_near_word_takes),
        *said_by(params, extra, phonemes, extra_takes, params.kokoro_unknown_takes),
        *said_by(params, extra, near_phonemes, extra_takes, params.near_word_takes),
        *plan_sentences.bulk(params, near_texts),
        *plan_sentences.by_all_voices(params, voices, near_texts),
    ]


def planned_near_words(params: VoicesParams) -> list[NearWord]:
    """The near-words of all keywords; none is another keyword or an unknown word of the plan."""
    found: dict[str, NearWord] = {}
    for keyword in params.keywords:
        others = [other for other in params.keywords if other != keyword]
        for near in near_words(
            keyword, params.near_words, params.seed, others, params.unknown_words
        ):
            found.setdefault(near.text, near)
    return list(found.values())


def _words(params: VoicesParams) -> dict[str, str]:
    """Keywords and unknown words with their phonemes, homophones refused or dropped."""
    words = list(dict.fromkeys([*params.keywords, *params.unknown_words]))
    phonemes = {word: pronounce.word(word) for word in words}
    by_sound = {pronounce.sounds(phonemes[keyword]): keyword for keyword in params.keywords}
    for word in words:
        sound = pronounce.sounds(phonemes[word])
        keyword = by_sound.get(sound, word)
        if params.homophones == "drop" and word not in params.keywords:
            if any(plan_sentences.contains(sound, spoken) for spoken in by_sound):
                del phonemes[word]
        elif keyword != word:
            raise KwsError(
                f"{word!r} sounds like the keyword {keyword!r}: no model can tell them apart",
                hint=f"take {word!r} out of voices.unknown_words",
            )
    return phonemes
