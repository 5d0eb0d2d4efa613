"""`kws spectrogram` draws what ingestion reads, says what it converted, and refuses in one line."""

import numpy as np
import pytest
import soundfile

from pipeline.cli import main

RATE_HZ = 16000


@pytest.fixture
def word(tmp_path):
    rng = np.random.default_rng(0)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)
    soundfile.write(tmp_path / "word.wav", tone + rng.normal(0, 0.01, RATE_HZ), RATE_HZ)
    return tmp_path / "word.wav"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["spectrogram", *map(str, arguments)])
    return int(stop.value.code or 0)


def size(png) -> tuple[int, int]:
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def test_every_frontend_has_its_panel_below_the_waveform(word, tmp_path, capsys):
    assert run(word, "--out", tmp_path / "all.png") == 0
    said = capsys.readouterr().out
    for line in ("spectrogram: 49 frames x 241", "log_mel: 49 frames x 40", "mfcc: 49 frames x 10"):
        assert line in said
    assert "micro: 49 frames x 40" in said and "converted" not in said
    assert run(word, "--out", tmp_path / "one.png", "--frontend", "mfcc") == 0
    assert size(tmp_path / "all.png")[1] > 2 * size(tmp_path / "one.png")[1]


def test_speech_mel_is_drawn_with_its_own_window_beside_the_others(word, tmp_path, capsys):
    frontends = ("--frontend", "mfcc", "--frontend", "speech_mel")
    assert run(word, "--out", tmp_path / "two.png", *frontends) == 0
    said = capsys.readouterr().out
    assert "mfcc: 49 frames x 10" in said and "speech_mel: 97 frames x 32" in said


def test_stereo_of_another_rate_and_depth_is_converted_and_said(tmp_path, capsys):
    audio = np.random.default_rng(0).normal(0, 0.1, (44100, 2))
    soundfile.write(tmp_path / "music.wav", audio, 44100, subtype="PCM_24")
    out = tmp_path / "new" / "music.png"
    arguments = ("--frontend", "mfcc", "--set", "window_stride_ms=10", "--out", out)
    assert run(tmp_path / "music.wav", *arguments, "--set", "dct_coefficient_count=13") == 0
    said = capsys.readouterr().out
    assert "1.00 s, 44,100 Hz, stereo, Signed 24 bit PCM; converted to 16,000 Hz, mono" in said
    assert "mfcc: 98 frames x 13" in said and out.exists()


def test_a_preset_draws_what_its_model_hears(word, tmp_path, capsys):
    assert run(word, "--preset", "trigger_word", "--out", tmp_path / "trigger.png") == 0
    said = capsys.readouterr().out
    assert "converted to 44,100 Hz" in said and "spectrogram: 549 frames x 101" in said


@pytest.mark.parametrize(
    "content, arguments, complaint",
    [
        (None, (), "cannot be read: io_error: No such file"),
        (b"", (), "cannot be read: empty_file"),
        (b"no audio at all, not by far", (), "cannot be read: not_audio"),
        ("short", (), "is 10 ms long: shorter than one window_size_ms=30"),
        ("short", ("--frontend", "mel"), "--frontend mel: no such frontend"),
        ("short", ("--set", "hop=3"), "--set hop: no such parameter"),
        ("short", ("--set", "window_size_ms=5"), "window_size_ms=5 is shorter than window_stride"),
        ("short", ("--set", "sample_rate=8000"), "band 125-7500 Hz must .* within 0-4000 Hz"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(tmp_path, capsys, content, arguments, complaint):
    import re

    file = tmp_path / "bad.wav"
    if content == "short":
        soundfile.write(file, np.zeros(160), RATE_HZ)
    elif content is not None:
        file.write_bytes(content)
    assert run(file, "--out", tmp_path / "x.png", *arguments) == 1
    first, *_ = capsys.readouterr().err.splitlines()
    assert re.search(complaint, first) and not (tmp_path / "x.png").exists()
