"""The digest of many clips does not depend on their order, and on everything else."""

import hashlib
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kws.audio.clip import Clip, encode
from kws.corpus.digests import ClipDigest, ClipName, name_of

words = st.text(max_size=5)
clip_names = st.lists(st.builds(ClipName, words, words, words, words, words), max_size=8)


def digest(clips: Sequence[ClipName]) -> ClipDigest:
    made = ClipDigest()
    for clip in clips:
        made.add(clip)
    return made


@given(clips=clip_names, at=st.integers(0, 8), seed=st.integers(0, 99))
def test_order_and_partition_do_not_matter(clips, at, seed):
    shuffled = [clips[i] for i in np.random.default_rng(seed).permutation(len(clips))]
    left, right = digest(shuffled[:at]), digest(shuffled[at:])
    left.merge(right)
    assert left == digest(clips)


def test_it_is_the_sum_of_the_clips_hashes_and_counts_them():
    clips = [
        ClipName("1" * 16, "yes", "yes", "ann", "a"),
        ClipName("2" * 16, "cat", "no", "b", "a"),
    ]
    sums = [int(hashlib.sha256("\0".join(clip).encode()).hexdigest(), 16) for clip in clips]
    assert digest(clips).to_dict() == {
        "clips": 2,
        "digest": f"{sum(sums) % 2**256:064x}",
        "sources": {"a": {"no": 1, "yes": 1}},
    }


def test_another_sound_word_label_speaker_source_or_number_is_another_digest():
    clip = ClipName("1" * 16, "yes", "yes", "ann", "a")
    others = [[clip._replace(**{field: "x"})] for field in ClipName._fields]
    totals = [digest(some).total for some in ([clip], [clip, clip], [], *others)]
    assert len(set(totals)) == len(totals)


def test_a_clip_is_named_from_its_example():
    clip = Clip(
        audio=np.zeros(16, np.int16), sample_rate=16000, label="_unknown_", word="Kätzchen",
        speaker="ann", source="people", clip_id="f" * 16, novelty="new_word",
    )  # fmt: skip
    assert name_of(encode(clip)) == ("f" * 16, "Kätzchen", "_unknown_", "ann", "people")
