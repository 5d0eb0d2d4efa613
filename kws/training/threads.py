"""How TensorFlow shares out the cores: one operation on all of them, or one operation on each.

By itself it splits an operation among all cores. The operations of a small network are too short
for that. Where the parts of a batch do not wait for each other (`ghost_batch_size`), an operation
of another part on each core is faster. TensorFlow settles this once, when it runs its first
operation, for everything in the process: hence by environment variables, as early as possible.
"""

import os
from collections.abc import MutableMapping

WITHIN_OPERATION = "TF_NUM_INTRAOP_THREADS"
OF_OPERATIONS = "TF_NUM_INTEROP_THREADS"


def an_operation_on_each_core(environment: MutableMapping[str, str] = os.environ) -> None:
    """To be called before TensorFlow's first operation; what the user has set stays."""
    if not {WITHIN_OPERATION, OF_OPERATIONS} & environment.keys():
        environment[WITHIN_OPERATION] = "1"
        environment[OF_OPERATIONS] = str(os.cpu_count() or 1)
