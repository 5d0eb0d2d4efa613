"""The C and C++ files of a bundle beside the model itself, by name."""

from pathlib import Path

from kws.micro import detector_header, frontend_header, operators, ops_resolver
from kws.micro.contents import BundleContents
from kws.micro.int8_file import Int8File
from kws.micro.streaming_model import Int8StreamingModel

SKETCH_FILE = "main.cc"
_SKETCH = Path(__file__).parent / "data" / SKETCH_FILE


def files(contents: BundleContents, model: Int8File, title: str) -> dict[str, str]:
    """Texts of the headers, and of the main loop where the device has the frontend.

    Args:
      contents: of the bundle.
      model: loaded from `contents.model`.
      title: one line of a comment.
    """
    micro, features = contents.micro, contents.feature_params
    made = {
        "ops_resolver.h": ops_resolver.header(micro.operators, title),
        "frontend_params.h": frontend_header.header(
            features,
            title,
            model.input_scale,
            model.input_zero_point,
            model.frames_per_inference,
            operators.variables(contents.model),
            model.warm_up_steps if isinstance(model, Int8StreamingModel) else 0,
        ),
        "detector.h": detector_header.detector(
            contents.detector, contents.labels, features, title, contents.sensitivities
        ),
        "arena.h": detector_header.arena(
            title,
            micro.arena_head_bytes,
            micro.arena_tail_bytes,
            micro.arena_recommended_bytes,
            micro.arena_margin,
        ),
    }
    if features.frontend == "micro":
        made[SKETCH_FILE] = _SKETCH.read_text()
    return made
