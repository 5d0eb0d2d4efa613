"""Noisy copies: noise at an SNR, babble, rooms, microphones, codecs, speed, pitch and style."""
