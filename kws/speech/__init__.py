"""A pretrained speech embedding: 96 numbers that describe the last 775 ms of speech, every 80 ms.

Lin, Kilgour, Roblek, Sharifi, "Training Keyword Spotters with Limited and Synthesized Speech Data",
ICASSP 2020 (arXiv:2002.01322): a convolutional network trained on some 200,000 hours of public
speech to tell 5,000 keywords apart. A small head on its embeddings learns a keyword from few, or
synthesized, recordings (see `kws.speech.head`).

    from kws import speech

    embeddings = speech.embed(audio)  # int16 at 16 kHz -> float32 [n, 96]

    stream = speech.StreamingEmbedder()
    for block in blocks:
        new = stream.feed(block)  # float32 [k, 96], often none

Embedding i is of the samples from `i * 1280` to `i * 1280 + 12512`. The weights (1.2 MB, Apache-2.0
by Google) and their licence are in `data`.
"""

from kws.speech.embedding import (
    StreamingEmbedder,
    embed,
    embed_clips,
    embedding_count,
    mel_frames,
)
from kws.speech.network import (
    EMBEDDING_FRAMES,
    EMBEDDING_HOP_FRAMES,
    EMBEDDING_HOP_MS,
    EMBEDDING_SIZE,
    embedding_model,
)

__all__ = [
    "EMBEDDING_FRAMES",
    "EMBEDDING_HOP_FRAMES",
    "EMBEDDING_HOP_MS",
    "EMBEDDING_SIZE",
    "StreamingEmbedder",
    "embed",
    "embed_clips",
    "embedding_count",
    "embedding_model",
    "mel_frames",
]
