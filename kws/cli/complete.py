"""What a shell offers after an option: names of presets, models and runs."""

from pathlib import Path


def presets(incomplete: str) -> list[str]:
    """Presets by name, and YAML files."""
    from pipeline.config import preset_names

    found = [*preset_names(), *map(str, Path(incomplete or ".").parent.glob("*.y*ml"))]
    return [name for name in found if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Architectures of the zoo."""
    from kws.models import registry

    return [name for name in registry.names() if name.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """Folders below `runs` that hold a run."""
    found = sorted(str(folder) for folder in Path("runs").glob("*") if folder.is_dir())
    return [name for name in found if name.startswith(incomplete)]
