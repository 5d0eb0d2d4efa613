"""A bundle's lineage as a tree for the terminal, and as the same lines for the report."""

from collections.abc import Sequence
from typing import Any

from rich.tree import Tree

from kws.code_version import CodeVersion
from kws.gates import Gate, figure

Lines = list[tuple[str, str]]
_SHORT = 12


def tree(title: str, recorded: dict[str, Any] | None, gates: Sequence[Gate]) -> Tree:
    """The tree of what the bundle records; the caller may add branches."""
    root = Tree(title, highlight=False)
    branch = root.add(f"gates: {sum(gate.passed for gate in gates)} of {len(gates)} passed")
    for gate in gates:
        bound = "at most" if gate.at_most else "at least"
        measured = f"{figure(gate.value)} {gate.unit}".rstrip()
        branch.add(f"{gate.name}: {measured}, {bound} {figure(gate.limit)}")
    if recorded is None:
        root.add("no lineage.json: the bundle is of an older version")
        return root
    for name, lines in sections(recorded):
        branch = root.add(name)
        for key, value in lines:
            branch.add(f"{key}: {value}")
    return root


def sections(recorded: dict[str, Any]) -> list[tuple[str, Lines]]:
    """What `lineage.json` records, from the model back to clips, code and configuration."""
    parts = [
        ("model", _model(recorded)),
        ("training", _training(recorded["float_model"].get("training") or {})),
        ("features", _features(recorded["frontend"])),
        ("data", _data(recorded["data"])),
        ("code", _code(recorded["code"])),
        ("configuration", _config(recorded)),
    ]
    return [(name, lines) for name, lines in parts if lines]


def _model(recorded: dict[str, Any]) -> Lines:
    lines = [("int8, SHA-256", _short(recorded["model_sha256"]))]
    if recorded["float_model"].get("sha256"):
        lines.append(("converted from float, SHA-256", _short(recorded["float_model"]["sha256"])))
    if recorded.get("run"):
        lines.append(("run", recorded["run"]))
    return lines


def _training(training: dict[str, Any]) -> Lines:
    if not training:
        return []
    params, history = training["training"], training.get("history", {})
    model = training["model"]
    name = " ".join(str(part) for part in (model["name"], model.get("variant")) if part)
    lines = [
        ("architecture", f"{name}, {training['parameters']:,} parameters"),
        ("epochs", f"{training.get('epochs_trained', params['epochs'])} of {params['epochs']}, "
                   f"best {history.get('best_epoch', '?')}; {history.get('steps', 0):,} steps"),
        ("seed", str(params["seed"])),
        ("examples", _counts(training["label_counts"])),
    ]  # fmt: skip
    teacher = training.get("teacher")
    return lines + ([("teacher", ", ".join(map(str, teacher.values())))] if teacher else [])


def _features(frontend: dict[str, Any]) -> Lines:
    return [
        (
            "frontend",
            f"{frontend['frontend']}, {frontend['window_size_ms']} ms every "
            f"{frontend['window_stride_ms']} ms, {frontend['clip_duration_ms']} ms a clip",
        )
    ]


def _data(data: dict[str, Any]) -> Lines:
    lines: Lines = []
    for folder in data.get("folders", []):
        called = " ".join(part for part in (folder["prefix"], folder["source"]) if part)
        lines.append(("folder", f"{folder['name']} ({called or folder['kind']})"))
    for split, labels in data.get("clips", {}).items():
        seconds = data.get("seconds", {}).get(split, 0)
        digest = data.get("digests", {}).get(split, {}).get("digest")
        of = f", digest {_short(digest)}" if digest else ""
        total = sum(labels.values())
        lines.append((split, f"{total:,} clips, {seconds / 60:.1f} min{of}: {_counts(labels)}"))
        sources = data.get("digests", {}).get(split, {}).get("sources", {})
        lines += [(f"{split}, from {source}", _counts(of)) for source, of in sources.items()]
    if data.get("quarantined"):
        lines.append(("quarantined", f"{data['quarantined']:,} files"))
    return lines


def _code(code: dict[str, Any]) -> Lines:
    found = [(step, CodeVersion(**version).sentence) for step, version in code.items() if version]
    if found and len({sentence for _, sentence in found}) == 1:
        return [(", ".join(step for step, _ in found), found[0][1])]
    return found


def _config(recorded: dict[str, Any]) -> Lines:
    if recorded.get("config") is None:
        return []
    where = "in lineage.json, all of it but where and by which machines it was computed"
    return [("SHA-256", f"{_short(recorded['config_sha256'])}, {where}")]


def _counts(labels: dict[str, int]) -> str:
    return ", ".join(f"{label} {count:,}" for label, count in labels.items())


def _short(digest: str) -> str:
    return digest[:_SHORT]
