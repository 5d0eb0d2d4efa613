"""The Beam step of noisy copies: rooms and people of the split, whatever the order and worker."""

import numpy as np
import soundfile

from components.audio_synthesizer.copies import NoisyCopies
from kws.audio import clip as clips
from kws.augment.chain import STEPS
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.scenes.negatives import Piece
from kws.splits import Split

RATE = 16000
IN_ROOMS = NoisyCopyParams(augment=AugmentParams(reverb_share=1.0, rooms=2))
EVERYTHING = NoisyCopyParams(
    augment=AugmentParams(**{f"{step}_share": 1.0 for step in STEPS}, rooms=2),
    partial_copies=2,
    babble_share=0.5,
    single_talker_share=0.3,
    coloured_noise_share=0.2,
    talk_before_share=0.5,
)


def serialized(number: int) -> bytes:
    audio = np.zeros(RATE, np.int16)
    audio[5000:10000] = np.random.default_rng(number).normal(0, 3000, 5000)
    return clips.encode(
        clips.Clip(
            audio=audio,
            sample_rate=RATE,
            label="yes",
            word="yes",
            speaker="s",
            source="t",
            clip_id=str(number),
            novelty="keyword",
        )
    )


def copies(folder, params: NoisyCopyParams, split: Split, numbers) -> dict[int, bytes]:
    path = folder / "hiss.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.05, 5 * RATE), RATE, "PCM_16")
    params = params.model_copy(update={"copies": 2, "eval_copies": 2})
    piece = Piece(str(path), 0.0, 5000.0)
    step = NoisyCopies([piece], params.to_json(), RATE, split, talkers=[piece])
    step.setup()
    return {
        number: b"".join(copy for _, copy in step.process((0, serialized(number))))
        for number in numbers
    }


def test_the_same_clip_is_heard_in_other_rooms_in_another_split(tmp_path):
    train, evaluation = (copies(tmp_path, IN_ROOMS, split, [1]) for split in ("train", "eval"))
    assert train != evaluation
    plain = NoisyCopyParams()
    assert copies(tmp_path, plain, "train", [1]) == copies(tmp_path, plain, "eval", [1])


def test_with_everything_on_the_order_of_clips_and_the_worker_change_nothing(tmp_path):
    together = copies(tmp_path, EVERYTHING, "train", [1, 2, 3])
    backwards = copies(tmp_path, EVERYTHING, "train", [3, 2, 1])
    alone = copies(tmp_path, EVERYTHING, "train", [2])
    assert together == backwards
    assert alone[2] == together[2]
