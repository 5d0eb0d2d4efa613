"""Processes that want the same thing at once, from empty caches: none may fail or disturb another.

    python -m benchmarks.races [--rounds 10] [--only weights runs] [--keep FOLDER]

Each round is in a new folder with an empty HOME. It prints rounds and failures of each race, with
what the failed ones said, and exits with 1 where there is any.
"""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import harness

ROOT = Path(__file__).resolve().parents[1]
VOICES = """
from kws.voices import corpus
from kws.voices.params import VoicesParams
params = VoicesParams(keywords=("yes", "go"), unknown_words=("bed",), kokoro_takes=0,
    kokoro_unknown_takes=0, hibari_takes=6, hibari_keyword_takes=12, negative_sentences=(2, 0, 0),
    background_seconds=2, seed=SEED)
print(corpus.build(params, FOLDER, workers=2).synthesized)
"""
SETTINGS = ("model=null", "keywords=[yes,go]", "streams.minutes=0.2", "noisy_copies.copies=1")


class Failed(Exception):
    """What went wrong in a round."""


def weights(folder: Path) -> None:
    """Four processes that need Kokoro's weights: they are put together once."""
    ask = "from kws.voices import kokoro_engine; print(kokoro_engine.weights_file())"
    files = set(_together(folder, [_python(ask)] * 4))
    _expect(len(files) == 1 and Path(files.pop().strip()).is_file(), "more than one file")


def voices(folder: Path) -> None:
    """Three processes that want one corpus: one makes it, two find it made."""
    said = _together(folder, [_python(VOICES, SEED=1, FOLDER=str(folder / "corpus"))] * 3)
    made = sorted(int(text) for text in said)
    _expect(made[:2] == [0, 0] and made[2] > 0, f"synthesized {made}")


def clips(folder: Path) -> None:
    """Three corpora of other seeds, which share clips: all of them are complete."""
    programs = [_python(VOICES, SEED=s, FOLDER=str(folder / f"corpus{s}")) for s in (1, 2, 3)]
    _together(folder, programs)
    made = [sorted((folder / f"corpus{s}").rglob("*.wav")) for s in (1, 2, 3)]
    _expect(len({len(files) for files in made}) == 1, f"{[len(files) for files in made]} files")


def archives(folder: Path) -> None:
    """Four processes that unpack one archive: the folder is there, with all files, once."""
    with zipfile.ZipFile(folder / "words.zip", "w") as archive:
        for number in range(300):
            archive.writestr(f"yes/{number}.wav", os.urandom(4000))
    unpack = "from kws.corpus import archive; print(archive.unpack(ARCHIVE, INTO))"
    program = _python(unpack, ARCHIVE=str(folder / "words.zip"), INTO=str(folder / "cache"))
    (place,) = set(_together(folder, [program] * 4))
    _expect(len(list(Path(place.strip()).rglob("*.wav"))) == 300, "files are missing")
    _expect(_visible(folder / "cache") == 1, "more than one folder")


def downloads(folder: Path) -> None:
    """Four processes that load one file: it is loaded once, and is right."""
    content = os.urandom(3_000_000)
    with _served(content) as (url, requests):
        load = (
            "from pathlib import Path; from kws.corpus.download import Checksum, download\n"
            'download(URL, Path(TARGET), Checksum("sha256", SHA256))'
        )
        sha256 = hashlib.sha256(content).hexdigest()
        program = _python(load, URL=url, TARGET=str(folder / "cache" / "file"), SHA256=sha256)
        _together(folder, [program] * 4)
    _expect((folder / "cache" / "file").read_bytes() == content, "another content")
    _expect(len(requests) == 1, f"{len(requests)} requests")


def pushes(folder: Path) -> None:
    """Four pushes to one folder of bundles: all four versions, and one of them is served."""
    push = (
        "from kws.bundle.destination import release\n"
        "from kws.bundle.destination import LocalDestination\n"
        "fill = lambda folder: [(folder / str(n)).write_bytes(b'x' * 9999) for n in range(20)]\n"
        "release(LocalDestination(PLACE), VERSION, fill)"
    )
    place = folder / "bundles"
    _together(folder, [_python(push, PLACE=str(place), VERSION=str(v)) for v in (1, 2, 3, 4)])
    complete = [len(list((place / str(version)).iterdir())) for version in (1, 2, 3, 4)]
    _expect(complete == [20] * 4, f"{complete} files")
    _expect((place / "LATEST").read_text().strip() in "1234", "LATEST")


def aligned(folder: Path) -> None:
    """Three `kws align --force` into one folder: what is there is one of them, complete."""
    recordings = folder / "recordings"
    recordings.mkdir()
    for number in range(10):
        tone = np.random.default_rng(number).normal(0, 0.1, 12000)
        soundfile.write(recordings / f"{number}.wav", tone, 16000)
    program = [*_KWS, "align", str(recordings), "--out", str(folder / "clips"), "--force"]
    _together(folder, [program] * 3)
    _expect(len(list((folder / "clips").rglob("*.wav"))) == 10, "clips are missing")


def runs(folder: Path) -> None:
    """Two `kws run` and one by TFX's way in one output folder: one after the other, all well."""
    _write_recordings(folder / "words")
    out, data = str(folder / "runs"), str(folder / "words")
    environment = {"KWS_SET": " ".join(SETTINGS), "KWS_OUT": out, "KWS_DATA": data}
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    program = [*_KWS, "run", "--data", data, "--out", out, *settings]
    by_tfx = [sys.executable, str(ROOT / "pipeline" / "local_runner.py")]
    said = _together(folder, [program, program, by_tfx], environment)
    waited = sum("Waiting: a run of quickstart is in progress in" in text for text in said[:2])
    _expect(waited >= 1, "nobody waited")


RACES: dict[str, tuple[Callable[[Path], None], int]] = {
    race.__name__: (race, processes)
    for race, processes in (
        (weights, 4),
        (voices, 3),
        (clips, 3),
        (archives, 4),
        (downloads, 4),
        (pushes, 4),
        (aligned, 3),
        (runs, 3),
    )
}
_KWS = [sys.executable, "-m", "kws"]


def run_race(name: str, rounds: int, keep: Path | None = None) -> list[str]:
    """What went wrong, a text for each round that failed."""
    race, _ = RACES[name]
    failures = []
    for number in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix=f"race-{name}-{number}-", dir=keep))
        try:
            race(folder)
        except Failed as failed:
            failures.append(f"round {number + 1}: {failed}")
        finally:
            if keep is None:
                shutil.rmtree(folder, ignore_errors=True)
    return failures


def _together(
    folder: Path, commands: Sequence[Sequence[str]], more: dict[str, str] | None = None
) -> list[str]:
    """Starts all at once with an empty HOME; what each printed. Raises Failed if one fails."""
    home = folder / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), **(more or {})}
    environment.pop("KWS_CACHE", None)
    started = [
        subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    ended = [process.communicate() for process in started]
    for process, (_, error) in zip(started, ended, strict=True):
        if process.returncode:
            raise Failed(f"exit status {process.returncode}: {error.strip()[-600:]}")
    return [out for out, _ in ended]


def _write_recordings(folder: Path) -> None:
    """Sixty speakers of three words, which are noise here, and a background."""
    rng = np.random.default_rng(0)
    for word in ("yes", "go", "bed"):
        (folder / word).mkdir(parents=True)
        for speaker in range(60):
            sound = rng.normal(0, 0.1, 12000)
            soundfile.write(folder / word / f"{speaker:08x}_nohash_0.wav", sound, 16000)
    (folder / "_background_noise_").mkdir()
    for number in range(6):
        sound = rng.normal(0, 0.05, 16000 * 20)
        soundfile.write(folder / "_background_noise_" / f"noise{number}.wav", sound, 16000)


def _python(program: str, **constants: object) -> list[str]:
    """A command that runs the program, with constants by name."""
    head = "".join(f"{name} = {json.dumps(value)}\n" for name, value in constants.items())
    # In a file's place, so that the processes that the program starts can import it.
    return [sys.executable, "-c", f"{head}if __name__ == '__main__':\n" + _indented(program)]


def _indented(program: str) -> str:
    return "\n".join(f"    {line}" for line in program.strip().splitlines())


def _visible(folder: Path) -> int:
    return sum(not path.name.startswith(".") for path in folder.iterdir())


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


@contextmanager
def _served(content: bytes) -> Iterator[tuple[str, list[str]]]:
    """A loopback server of one file: its address, and the paths that were asked for."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/file", requests
        server.shutdown()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the races and counts the failures."""
    parser = harness.Parser("races", __doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of each race")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(RACES), default=list(RACES), help="these races"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the rounds' folders")
    args = parser.parse_args(arguments)
    failed = False
    for name in args.only:
        start_s = time.monotonic()
        failures = run_race(name, args.rounds, args.keep)
        failed = failed or bool(failures)
        race, processes = RACES[name]
        took_s = (time.monotonic() - start_s) / args.rounds
        summary = (race.__doc__ or "").splitlines()[0]
        print(
            f"{name:<10} {processes} processes, {args.rounds} rounds, {len(failures)} failed, "
            f"{took_s:.1f} s a round: {summary}",
            flush=True,
        )
        for failure in failures:
            print(f"    {failure}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    harness.start(main)
