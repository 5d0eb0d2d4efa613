"""Piper voices (VITS as ONNX) that a user brings: `voice.onnx` with `voice.onnx.json` beside it.

Run in process by onnxruntime. The network reads eSpeak's IPA, numbered by the voice's own
`phoneme_id_map`; our phonemes (`pronounce`) are translated to it, so that eSpeak is not needed.
As in Piper, a sentence is `^`, then its phonemes, then `$`, with the padding `_` between all of
them. The noise that Piper adds is left out: equal requests give equal audio.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from kws.errors import KwsError
from kws.voices.engine import Request

PAD, BOS, EOS = "_", "^", "$"
_IPA = {
    **{"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ"},
    **{"ʤ": "dʒ", "ʧ": "tʃ", "T": "ɾ", "ᵊ": "ə", "ɑ": "ɑː", "ɔ": "ɔː", "ɜ": "ɜː", "u": "uː"},
}
"""misaki's single letters as eSpeak writes them for American English."""


class PiperEngine:
    """Loads each voice once. A voice is the file's path, with `#3` behind it for speaker 3."""

    name = "piper"
    sample_rate = 0

    def say(self, request: Request) -> np.ndarray:
        """See `Engine.say`. Also sets `sample_rate`, which differs by voice."""
        path, speaker = split_voice(request.voice)
        session, config = _loaded(path)
        ids = phoneme_ids(request.phonemes, config["phoneme_id_map"])
        if len(ids) <= 4:
            raise KwsError(f"{path} knows none of the phonemes of {request.text!r}")
        length = config.get("inference", {}).get("length_scale", 1.0) / request.speed
        inputs = {
            "input": np.asarray([ids], np.int64),
            "input_lengths": np.asarray([len(ids)], np.int64),
            "scales": np.asarray([0.0, length, 0.0], np.float32),
        }
        if config.get("num_speakers", 1) > 1:
            inputs["sid"] = np.asarray([speaker], np.int64)
        (audio,) = session.run(None, inputs)
        self.sample_rate = config["audio"]["sample_rate"]
        return np.asarray(audio, np.float32).ravel()


def ipa(phonemes: str) -> str:
    """Our phonemes in eSpeak's IPA: `ˈpjuTəɹ` is `ˈpjuːɾɚ`."""
    written = "".join(_IPA.get(letter, letter) for letter in phonemes)
    # The long i of "see", not the short one of "happy"; r-coloured vowels are one letter.
    return written.replace("ˈi", "ˈiː").replace("ˌi", "ˌiː").replace("əɹ", "ɚ").replace("ɜːɹ", "ɜː")


def phoneme_ids(phonemes: str, id_map: dict[str, list[int]]) -> list[int]:
    """Numbers for the network; phonemes that the voice does not know are left out."""
    ids = [*id_map[BOS], *id_map[PAD]]
    for letter in ipa(phonemes):
        if letter in id_map:
            ids += [*id_map[letter], *id_map[PAD]]
    return [*ids, *id_map[EOS]]


def voices(path: Path) -> tuple[str, ...]:
    """The voices in a file: its path, or `path#0`, `path#1`, ... where it has several speakers.

    Raises:
      KwsError: if the file or its JSON is missing or is no English Piper voice.
    """
    config = _config(path)
    count = config.get("num_speakers", 1)
    return tuple(f"{path}#{n}" for n in range(count)) if count > 1 else (str(path),)


def speaker_name(voice: str) -> str:
    """Short and safe in a file name: the file's stem and the speaker's number."""
    path, speaker = split_voice(voice)
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in path.stem)
    return f"{stem}-{speaker}" if "#" in voice else stem


def split_voice(voice: str) -> tuple[Path, int]:
    """The file and the speaker's number."""
    path, mark, speaker = voice.rpartition("#")
    if mark and speaker.isdigit():
        return Path(path), int(speaker)
    return Path(voice), 0


def content(path: Path) -> str:
    """16 hex digits over the file and its JSON."""
    return _content(path, path.stat().st_mtime_ns)


@functools.cache
def _content(path: Path, _modified_ns: int) -> str:
    digest = hashlib.sha256(path.read_bytes())
    digest.update(_json_of(path).read_bytes())
    return digest.hexdigest()[:16]


def _json_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


@functools.cache
def _config(path: Path) -> dict[str, Any]:
    for file in (path, _json_of(path)):
        if not file.is_file():
            raise KwsError(
                f"the Piper voice file {file} is missing",
                hint="a voice is two files: NAME.onnx and NAME.onnx.json",
            )
    try:
        config = json.loads(_json_of(path).read_text("utf-8"))
        kind = config.get("phoneme_type", "espeak")
        language = str(config.get("espeak", {}).get("voice", "en"))
        usable = {PAD, BOS, EOS} <= set(config["phoneme_id_map"]) and config["audio"]["sample_rate"]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise KwsError(f"{_json_of(path)} is no Piper configuration: {error}") from error
    if not usable or kind != "espeak" or not language.startswith("en"):
        raise KwsError(
            f"{path} reads {kind} phonemes of {language!r}: English voices with eSpeak's are read"
        )
    return config


@functools.cache
def _loaded(path: Path) -> tuple[Any, dict[str, Any]]:
    import onnxruntime

    config = _config(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own, of many classes
        raise KwsError(f"{path} is no ONNX model that can be run: {error}") from error
    return session, config
