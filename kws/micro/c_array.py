"""The model as C source that both a C11 and a C++11 compiler take."""

SYMBOL = "g_kws_model"
_BYTES_A_LINE = 16

_HEADER = """\
// {title}
// {length} bytes of a TensorFlow Lite model; see manifest.json for its arena and quantization.
#ifndef KWS_MODEL_H_
#define KWS_MODEL_H_

#ifdef __cplusplus
extern "C" {{
#endif

// Aligned to 16 bytes, as TensorFlow Lite Micro's tflite::GetModel() needs.
extern const unsigned char {symbol}[];
extern const unsigned int {symbol}_length;

#ifdef __cplusplus
}}
#endif

#endif  // KWS_MODEL_H_
"""

_SOURCE = """\
// {title}
#include "model.h"

#ifndef __cplusplus
#include <stdalign.h>
#endif

alignas(16) const unsigned char {symbol}[] = {{
{rows}
}};
const unsigned int {symbol}_length = {length}u;
"""


def header(content: bytes, title: str) -> str:
    """The text of `model.h`; the title is one line of a comment."""
    return _HEADER.format(title=_one_line(title), length=len(content), symbol=SYMBOL)


def source(content: bytes, title: str) -> str:
    """The text of `model.cc`, which is valid C too."""
    rows = "\n".join(
        "    " + " ".join(f"0x{byte:02x}," for byte in content[start : start + _BYTES_A_LINE])
        for start in range(0, len(content), _BYTES_A_LINE)
    )
    return _SOURCE.format(title=_one_line(title), rows=rows, length=len(content), symbol=SYMBOL)


def _one_line(text: str) -> str:
    # A backslash at the end would carry the comment on into the next line.
    return " ".join(text.split()).rstrip("\\")
