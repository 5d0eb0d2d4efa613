"""Where recordings come from, and what is said when they are not there."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.corpus.folders import SOURCES_FILE, Corpus
from kws.errors import KwsError
from pipeline import combined_corpus, source
from pipeline.config import load


def test_a_folder_without_a_keyword_names_the_keyword_and_what_there_is(tmp_path):
    for word in ("down", "up", "_background_noise_"):
        (tmp_path / word).mkdir()
    config = load("quickstart", ["keywords=[down, sideways]"], tmp_path)
    with pytest.raises(KwsError, match=r"keyword sideways \(words found: down, up\)"):
        source.prepare(config, workers=1)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KwsError, match="nowhere does not exist"):
        source.folder_of(load("quickstart", data=tmp_path / "nowhere"))


def test_an_archive_says_how_far_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(400):
            archive.writestr(f"down/{number}.wav", bytes(9000))
    said: list[tuple[int, int, str, str]] = []

    def progress(
        done: int,
        total: int,
        seconds: float,
        what: str = "",
        unit: str = "",
        *,
        remaining_s: float | None = None,
    ) -> None:
        said.append((done, total, what, unit))

    config = load("quickstart", ["keywords=[down]"], tmp_path / "a.zip")
    folder = source.prepare(config, workers=1, progress=progress)
    assert len(list((folder / "down").iterdir())) == 400
    assert [what for _, _, what, _ in said] == ["Unpacking a.zip"] * 2
    assert said[0][0] < said[1][0] <= said[1][1] == 3 and said[0][3] == "MB"


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        ("[{}]", r"data\.sources\.0: a source is one of speech_commands.* none of them"),
        (
            "[{voices: true, folder: x}]",
            r"data\.sources\.0\.folder: unknown key.*known here: name, ",
        ),
        ("[{corpus: speech_comands}]", r"no corpus 'speech_comands' .*speech-commands-v0\.0"),
        ("[{corpus: common-voice}]", "signed-in users"),
        ("[{corpus: musan, uses: [rooms]}]", "musan can be used for negatives, backgrounds"),
        ("[{corpus: rirs}, {name: b, corpus: rirs}]", "corpus rirs is named twice"),
        ("[{name: a, voices: true}, {name: a, unknown: b}]", "two sources have the name 'a'"),
    ],
)
def test_a_wrong_source_is_refused_at_load_by_its_place(sources, sentence):
    with pytest.raises(KwsError, match=sentence):
        load("quickstart", [f"data.sources={sources}"])


def test_a_mix_is_written_again_only_if_a_file_of_it_has_changed(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    for word in ("down", "up"):
        (tmp_path / word).mkdir()
        (tmp_path / word / "a.wav").write_bytes(b"1")
    folders = f"{{down: {tmp_path}/down, up: {tmp_path}/up}}"
    choice = ["keywords=[down, up]", f"data.sources=[{{positives: {folders}}}]"]
    config = load("quickstart", choice)

    def state() -> tuple[int, int, int]:
        file = source.prepare(config, workers=1) / SOURCES_FILE
        return file.stat().st_ino, int(file.stat().st_mtime), file.stat().st_size

    first = state()
    assert state() == first
    (tmp_path / "up" / "a.wav").write_bytes(b"2")
    second = state()
    # TFX looks at size and whole seconds.
    assert second[1] > first[1] and second[2] == first[2]


def test_a_new_version_of_a_span_takes_the_place_of_the_old_one(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    base = tmp_path / "growing"

    def arrive(folder: str) -> None:
        for word in ("down", "up"):
            (base / folder / word).mkdir(parents=True)
            (base / folder / word / "a.wav").touch()

    choice = ["keywords=[down, up]", "data.span_folder='{SPAN}/v{VERSION}'", "data.last_spans=2"]
    config = load("quickstart", choice, base)
    assert combined_corpus.span_folder_of(config) == "span-{SPAN}/version-{VERSION}"
    for arrived, place, taken in (
        (["1/v1", "2/v9"], "span-2/version-9", ["1/v1", "2/v9"]),
        (["2/v10"], "span-2/version-10", ["1/v1", "2/v10"]),
        (["3/v1"], "span-3/version-1", ["2/v10", "3/v1"]),
    ):
        for folder in arrived:
            arrive(folder)
        prepared = source.prepare(config, workers=1)
        (file,) = prepared.rglob(SOURCES_FILE)
        assert str(file.parent.relative_to(prepared)) == place
        folders = Corpus.from_json(file.read_text()).folders
        assert [folder.path for folder in folders] == [str(base / folder) for folder in taken]
        assert [folder.source for folder in folders] == ["growing", "growing"]


def test_a_manifest_in_another_encoding_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "list.csv").write_bytes("path,label\nä.wav,down\n".encode("latin-1"))
    config = load("quickstart", [f"data.sources=[{{manifest: {tmp_path}/list.csv}}]"])
    with pytest.raises(KwsError, match=r"list\.csv is not UTF-8 text: .* at byte 11"):
        source.prepare(config, workers=1)


def test_synthesized_speech_has_a_folder_for_each_choice_of_words(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))
    first = source.folder_of(load("quickstart"))
    assert first == source.folder_of(load("quickstart", ["training.epochs=3"]))
    assert first != source.folder_of(load("quickstart", ["keywords=[go, stop]"]))
    assert not list(tmp_path.iterdir())


def test_a_mix_is_the_same_from_whatever_folder_its_recordings_are_named(tmp_path, monkeypatch):
    def folder(start, negatives):
        monkeypatch.chdir(start)
        sources = f"data.sources=[{{voices: true}}, {{negatives: {negatives}}}]"
        return source.folder_of(load("quickstart", [sources]))

    (tmp_path / "talk").mkdir()
    (tmp_path / "elsewhere").mkdir()
    first = folder(tmp_path, "talk")
    assert first == folder(tmp_path / "elsewhere", "../talk")
    assert first == folder(tmp_path / "elsewhere", tmp_path / "talk")
    assert first != folder(tmp_path / "elsewhere", "talk")


def prepared(tmp_path, monkeypatch, sources: str, keywords: str = "[down, up]"):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    for name in ("down/a.wav", "up/a.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    choice = [f"keywords={keywords}", f"data.sources=[{sources.format(tmp_path)}]"]
    return source.prepare(load("quickstart", choice), workers=1)


def test_a_folder_of_negatives_without_a_recording_is_refused_before_anything_runs(
    monkeypatch, tmp_path
):
    (tmp_path / "neg").mkdir()
    mine = "{{name: mine, positives: {{down: {0}/down, up: {0}/up}}, negatives: {0}/neg}}"
    with pytest.raises(KwsError, match=r"source mine: negatives in \S+/neg holds no recordings"):
        prepared(tmp_path, monkeypatch, mine)
    (tmp_path / "neg" / "talk.xyz").touch()
    with pytest.raises(KwsError, match=r"mine: negatives .* not_audio_name 1 .*talk\.xyz"):
        prepared(tmp_path, monkeypatch, mine)
    (tmp_path / "neg" / "talk.m4a").touch()  # whether it can be read is seen when it is
    assert prepared(tmp_path, monkeypatch, mine).is_dir()


def test_a_positive_that_looks_like_a_keyword_is_refused_with_its_key(monkeypatch, tmp_path):
    with pytest.raises(
        KwsError, match=r"data\.sources\.0\.positives: 'Down' is not .* did you mean 'down'"
    ):
        prepared(tmp_path, monkeypatch, "{{positives: {{Down: {0}/down, up: {0}/up}}}}")


def test_a_label_of_a_manifest_that_looks_like_a_keyword_is_refused(monkeypatch, tmp_path):
    (tmp_path / "m.csv").write_text("path,label\ndown/a.wav,down\nup/a.wav,up\nup/b.wav,UP\n")
    with pytest.raises(KwsError, match=r"up/b\.wav: 'UP' is not the keyword 'up'"):
        prepared(tmp_path, monkeypatch, "{{manifest: {0}/m.csv}}")


def test_a_folder_of_words_that_looks_like_a_keyword_s_is_refused_and_nfd_is_the_keyword(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    data = tmp_path / "words"
    for word in ("o\u0308ffnen", "up", "Up"):
        (data / word).mkdir(parents=True)
    config = load("quickstart", ["keywords=[\u00f6ffnen, up]"], data)
    with pytest.raises(KwsError, match=r"words/Up: 'Up' is not the keyword 'up'"):
        source.prepare(config, workers=1)
    (data / "Up").rmdir()
    os.mkdir(os.fsencode(data) + b"/caf\xe9")
    assert source.prepare(config, workers=1) == data
    (data / "testing_list.txt").write_bytes("\u00f6ffnen/a.wav".encode("latin-1"))
    with pytest.raises(KwsError, match=r"testing_list\.txt is not UTF-8 text"):
        source.prepare(config, workers=1)


def test_a_preset_and_a_folder_that_are_not_utf8_are_named_in_one_line(tmp_path):
    preset = tmp_path / "mine.yaml"
    preset.write_bytes("keywords: [\u00f6ffnen]\n".encode("latin-1"))
    with pytest.raises(KwsError, match=r"mine\.yaml: line 1: byte 0xf6 is not UTF-8") as error:
        load(str(preset))
    assert "\n" not in str(error.value)
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    with pytest.raises(KwsError, match=r"caf\\xe9: the name is not UTF-8"):
        load("quickstart", data=folder)


def test_own_clips_are_checked_and_come_as_a_manifest_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    clips = tmp_path / "clips"
    clips.mkdir()
    sources = f"data.sources=[{{name: me, own_clips: {clips}, keyword: down}}]"
    config = load("quickstart", ["keywords=[down, up]", sources])
    with pytest.raises(KwsError, match="holds no recordings"):
        source.prepare(config, workers=1)
    for number in range(6):
        noise = np.random.default_rng(number).normal(0, 0.1, 16000)
        soundfile.write(clips / f"{number}.wav", noise, 16000, "PCM_16")
    # Who trains on them alone is told of the keyword that is missing.
    with pytest.raises(KwsError, match="no recordings for keyword up in any of the sources me"):
        source.prepare(config, workers=1)
    relaxed = config.ingest.model_copy(update={"require_every_keyword": False})
    folder = source.prepare(config.model_copy(update={"ingest": relaxed}), workers=1)
    (made,) = Corpus.from_json((folder / SOURCES_FILE).read_text()).folders
    assert (made.kind, made.source) == ("manifest", "me")
    assert Path(made.path).is_relative_to(tmp_path / "cache")
    assert len(list(Path(made.path).glob("*.wav"))) == 6
