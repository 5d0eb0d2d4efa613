"""What a shell offers after an option: names of presets, models, corpora and runs."""

from pathlib import Path


def presets(incomplete: str) -> list[str]:
    """Presets by name, and YAML files."""
    from pipeline.config import preset_names

    found = [*preset_names(), *map(str, Path(incomplete or ".").parent.glob("*.y*ml"))]
    return [name for name in found if name.startswith(incomplete)]


def tiers(incomplete: str) -> list[str]:
    """Of `kws run`."""
    from pipeline.cli.run import TIERS

    return [tier for tier in TIERS if tier.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Architectures of the zoo."""
    from kws.models import registry

    return [name for name in registry.names() if name.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """Folders below `runs` that hold a run."""
    found = sorted(str(folder) for folder in Path("runs").glob("*") if folder.is_dir())
    return [name for name in found if name.startswith(incomplete)]


def corpora(incomplete: str) -> list[str]:
    """Public corpora; of a list with commas, the last."""
    from kws.corpus import catalogue

    before, comma, last = incomplete.rpartition(",")
    names = [name for name in catalogue.load().names() if name.startswith(last)]
    return [f"{before}{comma}{name}" for name in names]
