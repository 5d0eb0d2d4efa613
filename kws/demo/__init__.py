"""The live page of `kws demo`: a bundle listens to the browser's microphone, on this machine."""
