"""YAML that a person did not mean, or that somebody made to do harm, is refused in one sentence."""

import copy
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from kws.errors import KwsError
from pipeline import config_file
from pipeline.config import PRESETS, SHARED, load, preset_names

START = "keywords: [a]\nvoices: {unknown_words: [b]}\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


def _refusal(path: Path, content: str | bytes, *overrides: str) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(KwsError) as refused:
        load(str(path), overrides)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (START + "training: {epochs: 1}\ntraining: {epochs: 3}\n",
         "training is there twice, at line 3 and at line 4"),
        (START + "training:\n  epochs: 1\n  batch_size: 9\n  epochs: 2\n",
         "training.epochs is there twice, at line 4 and at line 6"),
        ("keywords: [a]\ntraining: {1: 2}\n", "line 2: the key 1 of training is not text"),
        ("keywords: [a]\ntrue: 2\n", "line 2: the key true is not text"),
        ("keywords: [a]\n? [x, y]\n: 1\n", "line 2: the key is not text"),
        (b"# caf\xc3\xa9\nkeywords: [caf\xe9]\n", "line 2: byte 0xe9 is not UTF-8"),
        ("keywords: [a]\n".encode("utf-16"), "is not UTF-8"),
        ("[" * 100_000, "line 1: nested more than 30 deep"),
        ("{a: " * 100_000, "line 1: nested more than 30 deep"),
        (BOMB, "line 5: more than 20,000 values"),
        ("a: &a [*a]\n", "*a names nothing that stands before it"),
        (b"# x\n" * 2_500_000, "is larger than 1,000,000 bytes"),
        (START + f"training: {{epochs: {'9' * 5000}}}\n",
         "training.epochs: a number of 5,000 characters"),
        ("keywords: [!!python/object:os.system x]\n", "line 1: tag:yaml.org,2002:python/object"),
        ("", "a configuration is a mapping of sections, this is empty"),
        ("[a, b]", "a configuration is a mapping of sections, this is a list"),
        ("keywords: [a\n", "not valid YAML: line 2, column 1"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)  # fmt: skip
def test_a_file_that_nobody_meant_is_refused_by_line_or_key(tmp_path, content, sentence):
    path = tmp_path / "mine.yaml"
    assert sentence in _refusal(path, content)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epochs=true", "training.epochs: true and false are not numbers"),
        ("voices.speed=[0.8, true]", "voices.speed: true and false are not numbers"),
        ("training.learning_rate=.nan", "training.learning_rate: nan is not a finite number"),
        ("training.learning_rate=-.inf", "training.learning_rate: -inf is not a finite number"),
        ("training.learning_rate=1e999", "training.learning_rate: Input should be a finite number"),
        ("seed=-1", "seed: Input should be greater than or equal to 0"),
        ("keywords=[..]", "keywords: '..' cannot be a word: '.' at the front is reserved"),
        ('keywords=["a\\0b"]', "keywords[0]: contains the control character U+0000"),
        ("keywords=[a/b]", "keywords: 'a/b' cannot be a word: it contains '/'"),
        ('keywords=["a\u2028b"]', "keywords: 'a\\u2028b' cannot be a word"),
        ("voices.unknown_words=[../../x]", "voices.unknown_words: '../../x' cannot be a word"),
        ("training.epochs=[1", "--set training.epochs=[1: not valid YAML: line 2"),
        ("keywords.a=1", "keywords is a list, not a section with keys"),
        ("training=5", "training: a section with keys of its own is expected"),
        ("keywords=5", "keywords: a list is expected: [one, two]"),
        ("=1", "not of the form section.key=value"),
        ("a..b=1", "not of the form section.key=value"),
    ],
)
def test_a_value_that_no_setting_can_have_is_refused_by_its_path(tmp_path, override, sentence):
    assert sentence in _refusal(tmp_path / "mine.yaml", START, override)


def test_a_value_that_sections_share_is_refused_once_and_at_the_top(tmp_path):
    said = _refusal(tmp_path / "mine.yaml", START, "seed=abc")
    assert said.count("Input should be") == 1 and ": seed: Input" in said


def test_a_date_and_a_lone_equals_sign_are_words(tmp_path):
    assert config_file.parse("[2001-02-30, =, on, 1:30]", "x")[:3] == ["2001-02-30", "=", "on"]


def test_an_anchor_that_saves_writing_is_still_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        START + "evaluation:\n  per_class:\n    a: &gate {min_recall: 0.5}\n    _unknown_: *gate\n"
    )
    assert set(load(str(path)).evaluation.per_class) == {"a", "_unknown_"}


def test_a_preset_that_is_a_folder_or_may_not_be_read_is_a_sentence(tmp_path):
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(KwsError, match="no preset"):
        load(str(tmp_path / "a.yaml"))


ODD: list[Any] = [
    None, True, -1, 0, 1, 7, 10**9, 2**70, -0.5, 0.5, 1e30, float("nan"), float("inf"), "", " ",
    "x", "..", "a\x00b", "yes", "é" * 300, [], [[]], [1], ["a", "a"], {}, {"a": 1}, {"": None},
    "2001-01-01", "1e999", "1_000", "\u202e", "https://me:pw@host/x",
]  # fmt: skip
"""Values of every kind, put in the place of every setting."""


def _places(values: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    own = [path] if path else []
    if not isinstance(values, dict):
        return own
    return own + [place for key, value in values.items() for place in _places(value, (*path, key))]


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        values = values[key]
    values[path[-1]] = value


def _outcome(file: Path, place: tuple[str, ...]) -> str:
    """Loads the file; checks that a refusal is one line about it, and soon there."""
    began = time.process_time()
    try:
        load(str(file))
        outcome = "loaded"
    except KwsError as error:
        said, outcome = str(error), "refused"
        assert "\n" not in said and len(said) < 6000, said
        # Another key may be what no longer fits; the section's name or the key's is in it.
        assert any(key in said for key in place), (place, said)
    seconds = time.process_time() - began
    assert seconds < 5, (place, seconds)
    return outcome


@pytest.mark.nightly
def test_every_odd_value_at_every_place_loads_or_is_refused_in_a_line(tmp_path, capsys):
    """Each setting of each preset, is given an odd value in turn."""
    counts: Counter[str] = Counter()
    file = tmp_path / "odd.yaml"
    for preset in preset_names():
        whole = load(preset).model_dump(mode="json")
        for field, section in [(f, s) for f, users in SHARED.items() for s in users]:
            # Handed down from the top: a copy in a section would only contradict it.
            (whole[section] or {}).pop(field, None)
        short = config_file.read(PRESETS / f"{preset}.yaml")
        for number, place in enumerate(_places(whole)):
            # In the preset as it is written, and with all of its defaults, in turn.
            values = copy.deepcopy(whole if number % 2 else short)
            target = values
            for key in place[:-1]:
                child = target.get(key)
                target[key] = child if isinstance(child, dict) else {}
                target = target[key]
            _put(values, place, ODD[number * 7 % len(ODD)])
            file.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
            counts[_outcome(file, place)] += 1
    with capsys.disabled():
        print(f"\nodd values: {counts['refused']} refused, {counts['loaded']} loaded")
    assert counts.total() >= 1000 and min(counts.values()) > 50


@pytest.mark.nightly
def test_every_damaged_preset_loads_or_is_refused_in_a_line(tmp_path, capsys):
    """Bytes of a preset are flipped, cut, doubled and shuffled by a fixed rule."""
    import random

    counts: Counter[str] = Counter()
    file = tmp_path / "damaged.yaml"
    for preset, seed in itertools.product(preset_names(), range(60)):
        rng = random.Random(f"{preset}-{seed}")
        content = bytearray((PRESETS / f"{preset}.yaml").read_bytes())
        for _ in range(1 + seed % 4):
            place, kind = rng.randrange(len(content)), rng.randrange(4)
            if kind == 0:
                content[place] ^= 1 << rng.randrange(8)
            elif kind == 1:
                del content[place : place + rng.randrange(1, 40)]
            elif kind == 2:
                content[place:place] = content[place : place + rng.randrange(1, 200)]
            else:
                content[place:place] = rng.choice([b"[", b"}", b": ", b"&a ", b"*a ", b"\t", b"\n"])
        file.write_bytes(content)
        counts[_outcome(file, (file.name,))] += 1
    with capsys.disabled():
        print(f"\ndamaged presets: {counts['refused']} refused, {counts['loaded']} loaded")
    assert counts.total() >= 300 and min(counts.values()) > 30
