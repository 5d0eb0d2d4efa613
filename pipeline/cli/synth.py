"""`kws synth`: scenes and streams as the pipeline makes them, as files to listen to and share."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kws.errors import KwsError
from kws.terminal import Terminal, headed, printable

if TYPE_CHECKING:
    from kws.corpus.folders import Corpus
    from kws.scenes.material import Material
    from kws.splits import Split
    from pipeline.config import Config

app = typer.Typer(
    help="Write synthesized scenes and streams as WAV files with their labels.",
    no_args_is_help=True,
)

Preset = Annotated[str, typer.Option(help="Preset by name (`kws presets`), or a YAML file.")]
Data = Annotated[
    Path | None,
    typer.Option(help="Recordings: Speech Commands folder, .tar.gz or .zip. None: synthesize."),
]
Out = Annotated[Path, typer.Option(help="Folder for the files; made if missing.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Override, e.g. streams.snr_db=[0,10].")
]
SplitName = Annotated[str, typer.Option(help="Whose speakers and noises: train, eval or test.")]
SHORTEST_WORD_S = 0.2


@app.command()
def stream(
    out: Out,
    preset: Preset = "quickstart",
    data: Data = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Of words in each stream; None: as the preset.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many streams.")] = 1,
    split: SplitName = "eval",
    negatives: Annotated[
        Path | None,
        typer.Option(help="Folder of recordings without keywords. None: those of the corpus."),
    ] = None,
    negatives_every: Annotated[
        float,
        typer.Option(min=0, help="Seconds of words before a section of negatives; 0: none."),
    ] = 60.0,
    negatives_length: Annotated[
        float, typer.Option(min=1, help="Seconds that such a section has at most.")
    ] = 20.0,
    set_: Set = None,
) -> None:
    """Long streams for tests: words every few seconds over backgrounds, and sections without.

    Of each stream four files: .wav; .json, the ground truth; _labels.txt, "label, time in ms" as
    TensorFlow's speech tutorial reads it (test_streaming_accuracy); _audacity.txt, a label track.
    With --set streams.conditions=[quiet,babble], say, each stream is laid in all of them.
    """
    from kws.report.tables import print_left_out
    from kws.scenes.label_files import audacity_labels, tutorial_labels
    from kws.scenes.material import recordings_below, sections, surroundings
    from kws.scenes.negatives import interleave
    from kws.scenes.stream import lay_streams
    from kws.scenes.wav import to_wav

    config, corpus, console = _prepared(preset, set_, data)
    params = config.streams
    if minutes is not None:
        params = params.model_copy(update={"minutes": minutes})
    most = math.ceil(60 * params.minutes / (params.gap_s[0] + SHORTEST_WORD_S)) * count
    material = _gathered(config, corpus, _split(split), most, console)
    recordings = material.negatives
    if negatives:
        recordings, left_out = recordings_below(negatives)
        print_left_out(console, left_out)
    between = sections(recordings, negatives_length, config.sample_rate)
    out.mkdir(parents=True, exist_ok=True)
    _note_dropped_clips(config, out, console)
    place = surroundings(material, params, _split(split), config.sample_rate)
    laid = (
        stream
        for number in range(count)
        for stream in lay_streams(
            material.share(number, count), place, params, f"stream-{split}-{number:02d}"
        )
    )
    for audio, truth in laid:
        name = truth.stream_id
        if negatives_every:
            audio, truth = interleave(audio, truth, between, negatives_every)
        (out / f"{name}.wav").write_bytes(to_wav(audio, truth.sample_rate))
        (out / f"{name}.json").write_text(truth.to_json() + "\n")
        tutorial = tutorial_labels(truth, config.clip_duration_ms)
        (out / f"{name}_labels.txt").write_text(tutorial)
        (out / f"{name}_audacity.txt").write_text(audacity_labels(truth))
        without_s = sum(span.end_ms - span.start_ms for span in truth.negatives) / 1000
        with_s = truth.duration_ms / 1000 - without_s
        keywords = sum(word.label in config.keywords for word in truth.words)
        console.print(
            f"{out / name}.wav: {truth.duration_ms / 60_000:.1f} min, {len(truth.words)} words "
            f"({keywords} keywords), one every {with_s / len(truth.words):.1f} s; "
            f"{len(truth.negatives)} sections without keywords, {without_s:.0f} s",
            highlight=False,
            soft_wrap=True,
        )


@app.command()
def scenes(
    out: Out,
    preset: Preset = "trigger_word",
    data: Data = None,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many scenes.")] = 10,
    split: SplitName = "train",
    set_: Set = None,
) -> None:
    """Labelled scenes of trigger-word detection: words over some seconds of background.

    Of each scene three files: .wav; .json, the ground truth; .npy, the label vector. And one
    picture, .png: waveform, spectrogram and label vector, with the words marked.
    """
    import numpy as np

    from kws.scenes.params import SceneParams
    from kws.scenes.scene import Scene, deal_scenes, is_positive, lay_scene, scene_generator
    from kws.scenes.wav import to_wav
    from kws.splits import SPLITS

    config, corpus, console = _prepared(preset, set_, data)
    chosen = _split(split)
    params = config.scenes or SceneParams(seed=config.seed)
    counts = tuple(count if name == chosen else 0 for name in SPLITS)
    params = params.model_copy(update={"scenes": counts})
    most = count * max(params.positives[1], params.negatives[1], 1)
    material = _gathered(config, corpus, chosen, most, console)
    words = {clip.clip_id: clip for clip in material.words}
    positives = [name for name, clip in words.items() if is_positive(clip.label)]
    negatives = [name for name, clip in words.items() if not is_positive(clip.label)]
    out.mkdir(parents=True, exist_ok=True)
    _note_dropped_clips(config, out, console)
    laid, left_out = 0, 0
    drawn: Scene | None = None
    for deal in deal_scenes(positives, negatives, chosen, params):
        scene = lay_scene(
            [words[name] for name in deal.clip_ids],
            material.backgrounds,
            params,
            deal.scene_id,
            config.sample_rate,
            scene_generator(params, deal.scene_id),
        )
        path = out / deal.scene_id
        path.with_suffix(".wav").write_bytes(to_wav(scene.audio, config.sample_rate))
        path.with_suffix(".json").write_text(scene.truth.to_json() + "\n")
        np.save(path.with_suffix(".npy"), scene.steps)
        laid += len(scene.truth.words)
        left_out += scene.left_out
        if drawn is None or len(scene.truth.words) > len(drawn.truth.words):
            drawn = scene
    console.print(
        f"{out}: {count} scenes of {params.duration_ms / 1000:g} s at {config.sample_rate:,} Hz, "
        f"{laid} words laid, {left_out} found no place",
        highlight=False,
        soft_wrap=True,
    )
    if drawn is not None:
        from kws import features
        from kws.report.stream_pictures import draw_scene

        shape = config.features.model_copy(update={"clip_duration_ms": params.duration_ms})
        target = out / f"{drawn.truth.stream_id}.png"
        draw_scene(drawn, features.create(shape), target)
        console.print(f"{target}", highlight=False, soft_wrap=True)


def _prepared(
    preset: str, overrides: list[str] | None, data: Path | None
) -> "tuple[Config, Corpus, Terminal]":
    """The configuration, and the corpus that is there now, synthesized or loaded if need be."""
    from kws.corpus.folders import SOURCES_FILE, Corpus
    from pipeline import source
    from pipeline.config import load
    from pipeline.runners.terminal_progress import source_bar

    console = Terminal()

    config = load(preset, overrides or (), data)
    with source_bar(console) as progress:
        folder = source.prepare(config, os.cpu_count() or 1, progress)
    if config.data.is_mix:
        (sources,) = folder.rglob(SOURCES_FILE)
        return config, Corpus.from_json(sources.read_text()), console
    return config, Corpus.of_folder(str(folder)), console


def _note_dropped_clips(config: "Config", out: Path, console: Terminal) -> None:
    from pipeline.resolve import write_dropped_clips

    if dropped := write_dropped_clips(config, out):
        console.print(dropped, highlight=False, markup=False, soft_wrap=True)


def _gathered(
    config: "Config", corpus: "Corpus", split: "Split", most: int, console: Terminal
) -> "Material":
    from kws.scenes.material import gather

    with console.status(f"Reading the words of {split}"):
        material = gather(corpus, split, config.ingest, most)
    if material.unusable:
        name, reason = next(iter(material.unusable.items()))
        console.print(
            headed(
                f"{len(material.unusable)} files could not be used",
                f", e.g. {printable(name)}: {reason}",
                "yellow",
            )
        )
    return material


def _split(name: str) -> "Split":
    from kws.splits import SPLITS

    for split in SPLITS:
        if split == name:
            return split
    raise KwsError(f"no split {name!r}", hint=f"there are {', '.join(SPLITS)}")
