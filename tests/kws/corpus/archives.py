"""Tiny archives in the true layouts of public corpora."""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping

import numpy as np
import soundfile

RATE = 16000
SENTENCES = {
    "84-121123-0000": "GO DO YOU HEAR",
    "84-121123-0001": "THE COMPUTERS OF THE OFFICE WERE OLD",
    "174-50561-0000": "HE KNOWS NO REST",
    "251-118436-0000": "A QUIET EVENING",
    "422-122949-0000": "SHE SAID O K TOASTER AND LEFT",
}


def sound(seconds: float, seed: int = 0, kind: str = "WAV", channels: int = 1) -> bytes:
    """Noise as a file."""
    samples = np.random.default_rng(seed).normal(0, 0.05, (int(seconds * RATE), channels))
    return encoded(samples, kind)


def encoded(samples: np.ndarray, kind: str = "WAV", subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=kind, subtype=None if kind == "MP3" else subtype)
    return file.getvalue()


def response(direct: int, channels: int = 1) -> bytes:
    """An impulse response that falls by 60 dB in 0.3 s after the direct sound."""
    after = np.arange(RATE // 2)
    tail = np.random.default_rng(direct).normal(0, 0.2, after.size) * 10 ** (
        -3 * after / (0.3 * RATE)
    )
    tail[0] = 1.0
    one = np.concatenate([np.zeros(direct), tail])
    return encoded(np.stack([one, *[one * 0.1] * (channels - 1)], axis=1), subtype="FLOAT")


def librispeech(subset: str = "dev-clean", seconds: float = 3.0) -> dict[str, bytes]:
    files = {
        "LibriSpeech/LICENSE.TXT": b"CC BY 4.0",
        "LibriSpeech/SPEAKERS.TXT": b";ID |SEX\n84 | F\n",
    }
    chapters: dict[str, list[str]] = {}
    for place, (utterance, text) in enumerate(SENTENCES.items()):
        speaker, chapter, _ = utterance.split("-")
        folder = f"LibriSpeech/{subset}/{speaker}/{chapter}"
        files[f"{folder}/{utterance}.flac"] = sound(seconds, place, "FLAC")
        chapters.setdefault(f"{folder}/{speaker}-{chapter}.trans.txt", []).append(
            f"{utterance} {text}\n"
        )
    return files | {name: "".join(lines).encode() for name, lines in chapters.items()}


def musan() -> dict[str, bytes]:
    files = {"musan/README": b"MUSAN", "musan/noise/free-sound/LICENSE": b"public domain"}
    for number in range(4):
        files[f"musan/noise/free-sound/noise-free-sound-{number:04d}.wav"] = sound(4, number)
        files[f"musan/music/fma/music-fma-{number:04d}.wav"] = sound(4, 10 + number)
        files[f"musan/speech/librivox/speech-librivox-{number:04d}.wav"] = sound(4, 20 + number)
    # Two pieces by one musician.
    files["musan/music/fma/ANNOTATIONS"] = (
        b"music-fma-0000 jazz N Two Hands\nmusic-fma-0001 rock,pop Y Two Hands\n"
        b"music-fma-0002 folk Y Another\n"
    )
    return files


def rirs() -> dict[str, bytes]:
    top = "RIRS_NOISES"
    files = {f"{top}/pointsource_noises/noise-free-sound-0001.wav": sound(4, 1)}
    lines = []
    for size in ("smallroom", "largeroom"):
        for room in (1, 2):
            for place in (1, 2, 77):
                name = f"{top}/simulated_rirs/{size}/Room{room:03d}/Room{room:03d}-{place:05d}.wav"
                files[name] = response(300 + place)
                key = f"{size}-Room{room:03d}"
                lines.append(f"--rir-id {key}-{place:05d} --room-id {key} {name}")
        files[f"{top}/simulated_rirs/{size}/rir_list"] = "\n".join(lines).encode()
    real = f"{top}/real_rirs_isotropic_noises"
    for title in ("far_angla", "near_angla"):
        files[f"{real}/RVB2014_type1_rir_largeroom1_{title}.wav"] = response(500, channels=8)
    files[f"{real}/RVB2014_type1_noise_largeroom1_1.wav"] = sound(4, 9)
    files[f"{real}/rir_list"] = "".join(
        f"--rir-id 0000{number} --room-id RVB2014_largeroom1 "
        f"{real}/RVB2014_type1_rir_largeroom1_{title}.wav\n"
        for number, title in enumerate(("far_angla", "near_angla"))
    ).encode()
    return files


def dipco(session: str = "S02") -> dict[str, bytes]:
    said = [("hello there", 2.0, 3.0), ("ask the computer", 10.0, 12.0)]
    rows = [
        {
            "words": words,
            "speaker_id": "P05",
            "start_time": {"U01": clock(start + 0.25), "close-talk": clock(start)},
            "end_time": {"U01": clock(end + 0.25), "close-talk": clock(end)},
        }
        for words, start, end in said
    ]
    audio = f"Dipco/audio/dev/{session}"
    return {
        f"{audio}_P05.wav": sound(1),
        **{f"{audio}_U01.CH{channel}.wav": sound(20, channel) for channel in (1, 7)},
        f"{audio}_U02.CH7.wav": sound(20, 2),
        f"Dipco/transcriptions/dev/{session}.json": json.dumps(rows).encode(),
    }


def clock(seconds: float) -> str:
    return f"00:{int(seconds // 60):02d}:{seconds % 60:05.2f}"


def demand() -> dict[str, bytes]:
    return {f"DKITCHEN/ch{channel:02d}.wav": sound(12, channel) for channel in (1, 2, 16)}


def fma() -> dict[str, bytes]:
    return {
        "fma_small/checksums": b"",
        "fma_small/README.txt": b"",
        "fma_small/000/000002.mp3": sound(3, 2, "MP3"),
        "fma_small/099/099134.mp3": b"",  # there are such in the real one
        "fma_small/100/100001.mp3": sound(3, 3, "MP3"),
    }


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
