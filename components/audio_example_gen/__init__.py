"""AudioExampleGen: a folder of recordings becomes audio examples in speaker-disjoint splits."""

from components.audio_example_gen.component import AudioExampleGen

__all__ = ["AudioExampleGen"]
