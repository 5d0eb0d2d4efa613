"""Whether this machine can do what the product does, and what to do where it cannot."""

from kws.doctor.finding import Finding, State
from kws.doctor.machine import examine_machine
from kws.doctor.packages import examine_packages

__all__ = ["Finding", "State", "examine"]


def examine(runs: str, port: int) -> list[Finding]:
    """Looks at everything; nothing is changed, and no request leaves the machine.

    Args:
      runs: folder where runs would be written.
      port: that `kws demo` would take.
    """
    return [*examine_packages(), *examine_machine(runs, port)]
