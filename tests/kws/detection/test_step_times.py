"""Times of a network's steps."""

from kws.detection.posteriors import step_ends_ms


def test_a_step_ends_with_the_last_frame_it_hears():
    # 200 samples a frame, 80 between frames, 44.1 kHz; the last step ends with frame 5,510.
    ends = step_ends_ms(1375, 15, 4, 200 / 44.1, 80 / 44.1)
    assert ends[0] == round((14 * 80 + 200) / 44.1)
    assert ends[-1] == round((5510 * 80 + 200) / 44.1) == 10_000
