"""The Beam side of scenes: the plan is made of ids in one place, the clips go to their scenes.

    clips ─┬─ ids ── deal ──┬── places of each clip
           │                │            │ (side input)
           └────────────────│────── to their scenes ──┬─ (file, clips) ── lay ── (file, scenes)
                            └── (file, no clip) ──────┘

A scene may have no words. No worker holds more than the backgrounds of the split, the plan, and the
words of one file of scenes; clips that no scene wants go nowhere. The plan grows with the scenes,
not with the corpus: of the ids no more are dealt, lowest rank first, than there are places.
"""

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from components.audio_synthesizer.copies import METRICS
from components.audio_synthesizer.recordings import load_backgrounds
from components.records import PlacedRecord
from kws.audio import clip as clips
from kws.scenes import example
from kws.scenes.negatives import Piece
from kws.scenes.params import SceneParams
from kws.scenes.scene import (
    deal_scenes,
    first_rank,
    is_positive,
    lay_scene,
    most_dealt,
    scene_generator,
)
from kws.scenes.stream import is_stream_word
from kws.splits import Split

SCENES_PER_FILE = 16
"""A scene of ten seconds at 44.1 kHz is 0.9 MB."""
_Dealt = tuple[int, str, tuple[str, ...]]
"""(File, scene id, clip ids) of one scene."""
_Word = tuple[str, int, bytes] | tuple[str, None, None]
"""(Scene id, place, clip), or of a scene alone, which may have no words."""


class LayScenes(beam.PTransform):
    """Serialized clips of one split to its serialized scenes (`kws.scenes.example`), each with the
    number of its file.

    Counters: `scenes_<split>`, `scene_words_<split>` and `scene_words_left_out_<split>`.
    """

    def __init__(
        self, split: Split, pieces: Sequence[Piece], params: SceneParams, sample_rate: int
    ):
        super().__init__()
        self._split = split
        self._params_json = params.to_json()
        self._most = max(1, most_dealt(split, params))
        self._lay = LayScene(split, pieces, self._params_json, sample_rate)

    def expand(self, serialized: beam.PCollection) -> beam.PCollection:
        dealt = (
            serialized
            | "Ids" >> beam.FlatMap(ids, self._split, self._params_json)
            | "First" >> beam.combiners.Top.SmallestPerKey(self._most)
            | "Gather" >> beam.combiners.ToList()
            | "Deal" >> beam.FlatMap(deal, self._split, self._params_json)
        )
        places = (
            dealt
            | "Places" >> beam.FlatMap(of_clips)
            | "OfEachClip" >> beam.GroupByKey()
            | "Listed" >> beam.MapTuple(lambda clip_id, places: (clip_id, list(places)))
        )
        words = serialized | "ToScenes" >> beam.FlatMap(to_scenes, beam.pvalue.AsDict(places))
        empty = dealt | "Scenes" >> beam.MapTuple(
            lambda file, scene, clip_ids: (file, (scene, None, None))
        )
        return (
            (words, empty)
            | "Together" >> beam.Flatten()
            | "Group" >> beam.GroupByKey()
            | "Lay" >> beam.ParDo(self._lay)
        )


def ids(
    serialized: bytes, split: Split, params_json: str
) -> Iterator[tuple[bool, tuple[bytes, str]]]:
    """(Is it a keyword?, (rank, clip id)) of the clips that can be laid."""
    clip = clips.decode(serialized)
    if is_stream_word(clip):
        seed = SceneParams.from_json(params_json).seed
        yield is_positive(clip.label), (first_rank(seed, split, clip.clip_id), clip.clip_id)


def deal(
    words: list[tuple[bool, list[tuple[bytes, str]]]], split: Split, params_json: str
) -> Iterator[_Dealt]:
    """Every scene of the split."""
    kinds = {positive: {clip_id for _, clip_id in first} for positive, first in words}
    params = SceneParams.from_json(params_json)
    dealt = deal_scenes(kinds.get(True, ()), kinds.get(False, ()), split, params)
    for number, scene in enumerate(dealt):
        yield number // SCENES_PER_FILE, scene.scene_id, scene.clip_ids


def of_clips(scene: _Dealt) -> Iterator[tuple[str, tuple[int, str, int]]]:
    """(Clip id, (file, scene id, place)) of one scene."""
    file, name, clip_ids = scene
    for place, clip_id in enumerate(clip_ids):
        yield clip_id, (file, name, place)


def to_scenes(
    serialized: bytes, places: dict[str, list[tuple[int, str, int]]]
) -> Iterator[tuple[int, _Word]]:
    """(File, (scene id, place, clip)) for every place that a clip was dealt to."""
    for file, name, place in places.get(clips.decode(serialized).clip_id, ()):
        yield file, (name, place, serialized)


class LayScene(beam.DoFn):
    """(File, the words of its scenes in any order) to its serialized scenes in order."""

    def __init__(self, split: Split, pieces: Sequence[Piece], params_json: str, sample_rate: int):
        self._pieces = list(pieces)
        self._params_json = params_json
        self._sample_rate = sample_rate
        self._scenes = beam.metrics.Metrics.counter(METRICS, f"scenes_{split}")
        self._words = beam.metrics.Metrics.counter(METRICS, f"scene_words_{split}")
        self._left_out = beam.metrics.Metrics.counter(METRICS, f"scene_words_left_out_{split}")

    def setup(self) -> None:
        self._params = SceneParams.from_json(self._params_json)
        self._backgrounds = load_backgrounds(self._pieces, self._sample_rate)

    def process(self, dealt: tuple[int, Iterable[_Word]]) -> Iterator[PlacedRecord]:
        file, found = dealt
        words: dict[str, list[tuple[int, bytes]]] = {}
        for name, place, word in found:
            of_scene = words.setdefault(name, [])
            if place is not None and word is not None:
                of_scene.append((place, word))
        for name in sorted(words):
            yield file, self._lay(name, [clips.decode(word) for _, word in sorted(words[name])])

    def _lay(self, name: str, words: list[clips.Clip]) -> bytes:
        scene = lay_scene(
            words,
            self._backgrounds,
            self._params,
            name,
            self._sample_rate,
            scene_generator(self._params, name),
        )
        self._scenes.inc()
        self._words.inc(len(scene.truth.words))
        self._left_out.inc(scene.left_out)
        return example.encode(scene)
