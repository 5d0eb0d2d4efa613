"""`kws corpus`, and corpora by name in a configuration, against a server on this machine."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kws.corpus.catalogue import MIRROR
from kws.corpus.folders import SOURCES_FILE, Corpus
from kws.errors import KwsError
from pipeline import source
from pipeline.cli import main
from pipeline.cli.corpus import corpora_overrides
from pipeline.config import load
from tests.archive_server import ArchiveServer, served
from tests.kws.corpus import archives

SPEECH = archives.tar_gz(archives.librispeech())
MUSIC = archives.zipped(archives.fma())


@pytest.fixture
def server(monkeypatch, tmp_path) -> Iterator[ArchiveServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv(MIRROR, raising=False)
    with served({"/speech.tar.gz": SPEECH, "/music.zip": MUSIC}) as server:
        yield server


@pytest.fixture
def table(server, tmp_path) -> Path:
    """A user's own catalogue."""
    path = tmp_path / "table.yaml"
    path.write_text(f"""
corpora:
  my-speech:
    urls: [{server.base}/speech.tar.gz]
    sha256: {hashlib.sha256(SPEECH).hexdigest()}
    bytes: {len(SPEECH)}
    layout: librispeech
    licence: CC-BY-4.0
    licence_url: https://creativecommons.org/licenses/by/4.0/
    attribution: nobody in particular
  my-music:
    urls: [{server.base}/music.zip]
    sha1: {hashlib.sha1(MUSIC).hexdigest()}
    layout: fma
    licence: Creative Commons
    terms: non-commercial
""")
    return path


def kws(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_corpus_is_listed_fetched_with_its_licence_and_verified(server, table, capsys, tmp_path):
    own = ("--table", str(table))
    status, out, _ = kws(capsys, "corpus", "list", *own)
    assert status == 0 and not server.paths, "a list loads nothing"
    assert "my-speech" in out and "librispeech-dev-clean" in out and "signed-in users" in out
    status, out, _ = kws(capsys, "corpus", "get", "my-speech,my-music", *own)
    assert status == 0 and server.paths == ["/speech.tar.gz", "/music.zip"]
    assert "Licence: CC-BY-4.0 https://creativecommons.org" in out and "nobody in part" in out
    assert "no model is pushed without data.allow_non_commercial=true" in out
    assert "5 for negatives" in out and "1 cannot be read" in out
    _, out, _ = kws(capsys, "corpus", "list", "--json", *own)
    states = {row["name"]: row["state"] for row in json.loads(out)["corpora"]}
    assert states["my-speech"] == states["my-music"] == "ready" and states["musan"] == "absent"
    status, out, _ = kws(capsys, "corpus", "verify", "--json", *own)
    assert status == 0 and json.loads(out)["my-speech"]["files"] == 5
    (archive,) = (tmp_path / "cache" / "downloads").glob("*speech.tar.gz")
    archive.write_bytes(SPEECH[:-1])
    status, out, err = kws(capsys, "corpus", "verify", *own)
    assert status == 1 and "is damaged: its SHA-256 is" in out
    assert "not whole: my-speech" in err and "kws corpus get --again my-speech" in err
    assert kws(capsys, "corpus", "get", "--again", "my-speech", *own)[0] == 0
    assert kws(capsys, "corpus", "verify", *own)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("get", "libri-dev-clean"), "did you mean librispeech-dev-clean"),
        (("get", "my-speech"), "no corpus 'my-speech'"),
        (("get", "hey-snips"), "on request"),
        (("get", ","), "no corpus is named"),
        (("verify", "musan"), "not whole: musan"),
        (("list", "--table", "nowhere.yaml"), "nowhere.yaml: No such file"),
    ],
)
def test_what_cannot_be_is_one_line_on_standard_error(server, capsys, arguments, sentence):
    status, _, err = kws(capsys, "corpus", *arguments)
    assert status == 1 and sentence in err and "Traceback" not in err
    assert not server.paths


def test_nothing_is_loaded_that_is_not_named_and_a_named_corpus_joins_the_sources(
    server, table, tmp_path
):
    for word in ("yes", "no"):
        (tmp_path / "words" / word).mkdir(parents=True)
        (tmp_path / "words" / word / "a.wav").write_bytes(archives.sound(1))
    choice = ["keywords=[yes]", f"data.corpora_table={table}"]
    plain = load("quickstart", choice, tmp_path / "words")
    source.prepare(plain, workers=1)
    assert server.paths == []
    mixed = load(
        "quickstart", [*choice, *corpora_overrides(["my-speech,my-music"])], tmp_path / "words"
    )
    folder = source.prepare(mixed, workers=1)
    corpus = Corpus.from_json((folder / SOURCES_FILE).read_text())
    assert [(f.source, f.kind) for f in corpus.folders] == [
        ("words", "speech_commands"), ("my-speech", "corpus"), ("my-music", "corpus"),
    ]  # fmt: skip
    assert server.paths == ["/speech.tar.gz", "/music.zip"]
    assert source.prepare(mixed, workers=1) == folder and len(server.paths) == 2


def test_with_no_other_source_a_corpus_is_beside_the_voices_and_restricted_terms_are_said(table):
    choice = [f"data.corpora_table={table}", "data.corpora=[my-music]"]
    data = load("keyword", choice).data
    assert [s.voices for s in data.all_sources] == [True, False] and data.has_voices
    assert data.credits() == ["my-music: Creative Commons, non-commercial"]
    (why,) = data.restrictions()
    assert why == "my-music is non-commercial: data.allow_non_commercial=true pushes all the same"
    allowed = load("keyword", [*choice, "data.allow_non_commercial=true"]).data
    assert allowed.restrictions() == []
    mine = load(
        "keyword",
        ["data.sources=[{voices: true}, {name: esc, backgrounds: x, terms: research-only}]"],
    ).data
    assert mine.restrictions() == [
        "esc is research-only: data.allow_research_only=true pushes all the same"
    ]
    with pytest.raises(KwsError, match="no corpus 'my-music'"):
        load("keyword", choice[1:])
