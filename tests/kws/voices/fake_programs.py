"""Stand-ins for espeak-ng, flite, festival and text2wave: programs with the same command lines.

They write a WAV whose pitch depends on the voice and whose length on the pace, and the text that
they read beside it. What the real programs make of the same arguments is not shown by them.
"""

import os
import stat
import sys
from pathlib import Path

SCRIPT = """#!{python}
import array, math, pathlib, re, sys, wave, zlib
name, args = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
log = pathlib.Path(sys.argv[0]).parent / "calls.txt"
def value(option):
    return args[args.index(option) + 1]
def write(path, voice, stretch, rate):
    pitch = 150 + zlib.crc32(voice.encode()) % 200
    count = int(0.4 * stretch * rate)
    samples = [int(9000 * math.sin(2 * math.pi * pitch * i / rate)) for i in range(count)]
    with wave.open(path, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(rate)
        file.writeframes(array.array("h", samples).tobytes())
def heard(path):
    with log.open("a") as file:
        file.write(name + ": " + pathlib.Path(path).read_text())
if "--version" in args:
    print({{"espeak-ng": "eSpeak NG text-to-speech: 1.51  Data at: /usr/lib/espeak",
           "flite": "flite-2.2-current Aug 2022", "festival": "festival: 2.5.0:release"}}[name])
elif "-lv" in args:
    print("Voices available: kal awb_time kal16 awb rms slt")
elif "-b" in args:
    print("(cmu_us_slt_arctic_hts kal_diphone el_diphone)")
elif name == "espeak-ng":
    if value("-v") == "broken":
        sys.exit("no such voice")
    heard(value("-f")), write(value("-w"), value("-v"), 165 / int(value("-s")), 22050)
elif name == "flite":
    heard(value("-f"))
    write(value("-o"), value("-voice"), float(value("--setf").split("=")[1]), 16000)
else:
    said = " ".join(args)
    heard(args[-1])
    stretch = float(re.search(r"Duration_Stretch ([0-9.]+)", said)[1])
    write(value("-o"), re.search(r"[(]voice_([a-z0-9_]+)[)]", said)[1], stretch, 32000)
"""


def install(folder: Path, *names: str) -> Path:
    """Puts the programs into a folder; returns the log of what they read."""
    for name in names:
        path = folder / name
        path.write_text(SCRIPT.format(python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder / "calls.txt"


def search_path(folder: Path) -> str:
    """A PATH with these programs and nothing that a developer's machine may have."""
    return os.pathsep.join([str(folder)])
