"""The Beam side of scenes: the plan is made of ids in one place, the clips go to their scenes.

    clips ─┬─ ids ── deal ──┬── places of each clip
           │                │            │ (side input)
           └────────────────│────── to their scenes ──┬─ (scene, clips) ── lay ── scenes
                            └── (scene, nothing) ─────┘

A scene may have no words. No worker holds more than the backgrounds of the split, the plan, and the
words of one scene; clips that no scene wants go nowhere.
"""

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from components.audio_synthesizer.copies import METRICS
from components.audio_synthesizer.recordings import load_backgrounds
from kws.audio import clip as clips
from kws.scenes import example
from kws.scenes.deal import deal_scenes, scene_generator
from kws.scenes.params import SceneParams
from kws.scenes.piece import Piece
from kws.scenes.scene import is_positive, lay_scene
from kws.scenes.stream import is_stream_word
from kws.splits import Split


class LayScenes(beam.PTransform):
    """Serialized clips of one split to its serialized scenes (`kws.scenes.example`).

    Counters: `scenes_<split>`, `scene_words_<split>` and `scene_words_left_out_<split>`.
    """

    def __init__(
        self, split: Split, pieces: Sequence[Piece], params: SceneParams, sample_rate: int
    ):
        super().__init__()
        self._split = split
        self._params_json = params.to_json()
        self._lay = LayScene(split, pieces, self._params_json, sample_rate)

    def expand(self, serialized: beam.PCollection) -> beam.PCollection:
        dealt = (
            serialized
            | "Ids" >> beam.FlatMap(ids)
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
        empty = dealt | "Scenes" >> beam.MapTuple(lambda scene, clip_ids: (scene, None))
        return (
            (words, empty)
            | "Together" >> beam.Flatten()
            | "Group" >> beam.GroupByKey()
            | "Lay" >> beam.ParDo(self._lay)
        )


def ids(serialized: bytes) -> Iterator[tuple[str, bool]]:
    """(Clip id, is it a keyword?) of the clips that can be laid."""
    clip = clips.decode(serialized)
    if is_stream_word(clip):
        yield clip.clip_id, is_positive(clip.label)


def deal(
    words: list[tuple[str, bool]], split: Split, params_json: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(Scene id, clip ids) of every scene of the split."""
    positives = {clip_id for clip_id, positive in words if positive}
    negatives = {clip_id for clip_id, positive in words if not positive}
    params = SceneParams.from_json(params_json)
    for scene in deal_scenes(positives, negatives, split, params):
        yield scene.scene_id, scene.clip_ids


def of_clips(scene: tuple[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, int]]]:
    """(Clip id, (scene id, place)) of one scene."""
    name, clip_ids = scene
    for place, clip_id in enumerate(clip_ids):
        yield clip_id, (name, place)


def to_scenes(
    serialized: bytes, places: dict[str, list[tuple[str, int]]]
) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """(Scene id, (place, clip)) for every place that a clip was dealt to."""
    for name, place in places.get(clips.decode(serialized).clip_id, ()):
        yield name, (place, serialized)


class LayScene(beam.DoFn):
    """(Scene id, its clips, in any order, among Nones) to a serialized scene."""

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

    def process(self, dealt: tuple[str, Iterable[tuple[int, bytes] | None]]) -> Iterator[bytes]:
        name, found = dealt
        words = [clips.decode(word) for _, word in sorted(item for item in found if item)]
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
        yield example.encode(scene)
