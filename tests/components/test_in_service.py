"""The last model in service is the newest that all three judges blessed before the candidate."""

from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.artifacts import StreamingBlessing, StreamingEvaluation
from components.baseline.in_service import LastInServiceStrategy
from tests.components.test_baseline import artifact

KINDS = {
    "model_blessing": standard_artifacts.ModelBlessing,
    "streaming_blessing": StreamingBlessing,
    "infra_blessing": standard_artifacts.InfraBlessing,
}


class History:
    """Models of runs past, with ids that rise."""

    def __init__(self, root: Path):
        self._root = root
        self._next = 1
        self.inputs: dict = {"model": [], "evaluation": [], **{key: [] for key in KINDS}}

    def model(self, refused_by: tuple[str, ...] = (), files: bool = True) -> int:
        """A run: model, evaluation and three blessings; gives the model's id."""
        made = self._made(standard_artifacts.Model)
        made.uri = str(self._root / str(made.id))
        evaluation = self._made(StreamingEvaluation, current_model_id=made.id)
        evaluation.uri = str(self._root / str(evaluation.id))
        self.inputs["model"].append(made)
        self.inputs["evaluation"].append(evaluation)
        for key, kind in KINDS.items():
            blessed = int(key not in refused_by)
            self.inputs[key].append(self._made(kind, current_model_id=made.id, blessed=blessed))
        if files:
            for file in (
                Path(made.uri, "Format-Serving", "model.tflite"),
                Path(evaluation.uri, "detector.json"),
            ):
                file.parent.mkdir(parents=True)
                file.touch()
        return made.id

    def last_before(self, candidate: int) -> tuple[list[int], list[int]]:
        """Ids of the model found, and of the model that the evaluation found is of."""
        chosen = next(m for m in self.inputs["model"] if m.id == candidate)
        found = LastInServiceStrategy().resolve_artifacts(
            None, {"candidate": [chosen], **self.inputs}
        )
        of = [e.get_int_custom_property("current_model_id") for e in found["evaluation"]]
        return [model.id for model in found["model"]], of

    def _made(self, kind, **properties):
        self._next += 1
        return artifact(kind, self._next, **properties)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def test_the_first_candidate_is_compared_with_nothing_nor_with_itself(history: History) -> None:
    assert history.last_before(history.model()) == ([], [])


def test_the_newest_before_the_candidate_is_taken_with_its_own_evaluation(
    history: History,
) -> None:
    history.model()
    second, third = history.model(), history.model()
    assert history.last_before(third) == ([second], [second])


@pytest.mark.parametrize("judge", KINDS)
def test_a_model_that_one_judge_refused_never_was_in_service(history: History, judge: str) -> None:
    first = history.model()
    history.model(refused_by=(judge,))
    assert history.last_before(history.model()) == ([first], [first])


def test_a_model_whose_files_are_gone_is_passed_over(history: History) -> None:
    first = history.model()
    history.model(files=False)
    assert history.last_before(history.model()) == ([first], [first])
