"""Two runs, and statistics that TFDV has computed from rows of known values."""

import pytest

ROWS = {
    "level": [-30.0, -20.0, -20.0, -10.0],
    "label": ["yes", "yes", "no", "<b>"],
    "clip_id": ["a1", "b2", "c3", "d4"],
}


def run(number: int, accuracy: float, state: str = "pushed") -> dict:
    rate = {"value": 2.0, "low": 0.4, "high": 5.8}
    return {
        "run": f"tiny#{number}", "run_id": f"2026-01-0{number}T10:00:00", "pipeline": "tiny",
        "folder": "runs/tiny", "started": f"2026-01-0{number}T10:00:00+00:00", "state": state,
        "version": f"2026010{number}" if state == "pushed" else None,
        "gates": [
            {"name": "clips.accuracy", "value": accuracy, "limit": 0.8, "at_most": False,
             "unit": "", "detail": "", "passed": accuracy >= 0.8},
        ],
        "figures": {
            "accuracy": {"value": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.05},
            "false_accepts_per_hour": rate,
            "flash_bytes": {"value": 18784, "low": None, "high": None},
        },
    }  # fmt: skip


@pytest.fixture
def runs() -> list[dict]:
    """Newest first."""
    return [run(2, 0.7, "refused"), run(1, 0.9)]


@pytest.fixture(scope="session")
def content() -> bytes:
    """Of `ROWS`, with a second dataset for the clips of "yes"."""
    import pandas as pd
    import tensorflow_data_validation as tfdv

    frame = pd.DataFrame(ROWS)
    whole = tfdv.generate_statistics_from_dataframe(frame)
    whole.datasets[0].name = "All Examples"
    part = tfdv.generate_statistics_from_dataframe(frame[frame.label == "yes"])
    part.datasets[0].name = "label_yes"
    whole.datasets.extend(part.datasets)
    return whole.SerializeToString()
