"""The search around the trials: its end, its memory, its seed. The trials themselves are stubs."""

import pytest

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training import tuning_search
from kws.training.params import TrainingParams
from kws.training.tuning import TrialResult, TuningParams
from kws.training.tuning_search import Search
from kws.training.tuning_space import Sections

SECTIONS = Sections(ModelParams(), TrainingParams(), FeatureParams())
SPACE = {"model.options.filters": {"min": 1, "max": 64}, "model.options.blocks": [1, 2, 3]}


class Clock:
    """A trial takes a minute."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Trials:
    """In place of training: more filters are better, up to a limit; the process may be killed."""

    def __init__(self, monkeypatch):
        self.clock, self.ran, self.kill_at, self.limit = Clock(), [], None, 60
        monkeypatch.setattr(tuning_search, "run_trial", self._run)

    def _run(self, number, values, epochs, bench) -> TrialResult:
        if len(self.ran) == self.kill_at:
            raise KeyboardInterrupt
        self.ran.append((dict(values), epochs))
        self.clock.now += 60
        filters = values["model.options.filters"]
        score = None if filters > self.limit else filters + 0.01 * epochs
        return TrialResult(
            number=number,
            values=dict(values),
            status="refused" if score is None else "done",
            reason="too large" if score is None else "",
            score=score,
            epochs=epochs,
            seconds=60,
        )

    def search(self, folder, **tuning) -> Search:
        params = TuningParams(**{"space": SPACE, "algorithm": "random", "seed": 0, **tuning})
        return Search(params, SECTIONS, None, folder, self.clock)


@pytest.fixture
def trials(monkeypatch) -> Trials:
    return Trials(monkeypatch)


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_the_best_trial_is_found_and_the_same_seed_finds_the_same(trials, tmp_path, algorithm):
    first = trials.search(tmp_path / "a", algorithm=algorithm, max_trials=6, epochs=9)
    second = trials.search(tmp_path / "b", algorithm=algorithm, max_trials=6, epochs=9)
    first.search()
    second.search()
    done = [trial for trial in first.report.trials if trial.score is not None]
    best = first.get_best_hyperparameters()[0].values["model.options.filters"]
    assert best == max(done, key=lambda trial: trial.score).values["model.options.filters"]
    assert first.report.best.values["model.options.filters"] == best
    assert first.report.ended_by == "max_trials" and len(first.oracle.trials) == 6
    assert [t.values for t in first.report.trials] == [t.values for t in second.report.trials]


def test_another_seed_tries_others(trials, tmp_path):
    searches = [trials.search(tmp_path / str(s), seed=s, max_trials=4) for s in (0, 1)]
    for search in searches:
        search.search()
    assert searches[0].report.trials[0].values != searches[1].report.trials[0].values


def test_the_first_trial_is_what_is_configured_if_the_space_has_it(trials, tmp_path):
    for algorithm in ("random", "bayesian"):
        space = {"model.options.filters": {"min": 1, "max": 64}, "model.options.blocks": [2, 4]}
        trials.limit = 64
        search = trials.search(tmp_path / algorithm, algorithm=algorithm, space=space, max_trials=2)
        search.search()
        first = search.report.trials[0].values  # as ds_cnn is by itself
        assert first == {"model.options.filters": 64, "model.options.blocks": 4}


def test_no_trial_begins_after_the_budget(trials, tmp_path):
    search = trials.search(tmp_path, budget_minutes=2.5)
    search.search()
    assert len(trials.ran) == 3
    assert (search.report.ended_by, search.report.minutes) == ("budget", 3.0)


def test_a_killed_search_goes_on_where_it_was_and_its_minutes_count(trials, tmp_path):
    unbroken = trials.search(tmp_path / "unbroken", max_trials=6)
    unbroken.search()
    trials.ran.clear()
    trials.kill_at = 3
    with pytest.raises(KeyboardInterrupt):
        trials.search(tmp_path / "killed", max_trials=6).search()
    trials.kill_at = None
    again = trials.search(tmp_path / "killed", max_trials=6, budget_minutes=5.5)
    again.search()
    assert [t.values for t in again.report.trials] == [t.values for t in unbroken.report.trials]
    assert len(trials.ran) == 6 and again.report.minutes == 6.0


def test_files_that_were_cut_short_cost_no_trial(trials, tmp_path):
    trials.kill_at = 2
    with pytest.raises(KeyboardInterrupt):
        trials.search(tmp_path, max_trials=4).search()
    (tmp_path / "keras_tuner" / "oracle.json").write_text('{"ongoing')
    trials.kill_at = None
    trials.search(tmp_path, max_trials=4).search()
    assert len(trials.ran) == 4


def test_a_space_with_nothing_new_ends_the_search(trials, tmp_path):
    for algorithm in ("random", "bayesian"):
        search = trials.search(
            tmp_path / algorithm, algorithm=algorithm, space={"model.options.filters": [3, 5]}
        )
        search.search()
        assert search.report.ended_by == "space" and len(search.report.trials) == 2


def test_a_search_of_which_nothing_came_through_says_why(trials, tmp_path):
    search = trials.search(tmp_path / "s", space={"model.options.filters": [61, 62]})
    with pytest.raises(KwsError, match=r"none of the 2 trials.*filters=6\d: too large"):
        search.search()
    assert not (tmp_path / "s").exists()  # mended, the next search begins anew
