"""The head keeps time order, and refuses examples that its convolutions use up."""

import numpy as np
import pytest

from kws.errors import KwsError
from kws.speech import EMBEDDING_SIZE
from kws.speech.head import HeadParams, build_head


def test_the_documented_head_has_the_documented_size_and_gives_posteriors():
    head = build_head(HeadParams(), 16, 3)
    convolutions = 96 * 3 * 64 + 2 * (64 * 3 * 64)
    normalizations = 4 * 96 + 3 * 4 * 64
    assert head.count_params() == convolutions + normalizations + (10 * 64 + 1) * 32 + 33 * 3
    assert head.count_params() == 64771
    posteriors = head(np.random.default_rng(0).normal(0, 10, (5, 16, 96)).astype(np.float32))
    np.testing.assert_allclose(posteriors.numpy().sum(axis=1), 1, rtol=1e-6)


def test_the_head_hears_every_embedding_and_their_order():
    head = build_head(HeadParams(), 16, 3)
    rng = np.random.default_rng(0)
    example = rng.normal(0, 1, (1, 16, EMBEDDING_SIZE)).astype(np.float32)
    changed = np.repeat(example, 16, axis=0)
    changed[np.arange(16), np.arange(16)] = 0
    posteriors = head(np.concatenate([example, example[:, ::-1], changed])).numpy()
    assert (np.abs(posteriors[1:] - posteriors[0]).max(axis=1) > 1e-4).all()


def test_too_few_embeddings_are_refused_with_how_many_are_needed():
    assert build_head(HeadParams(), 7, 2).output_shape == (None, 2)
    with pytest.raises(KwsError, match="needs 7 embeddings, these are 6"):
        build_head(HeadParams(), 6, 2)
