"""curvebook: hyperparameter optimisation replayed on recorded learning curves.

`Table` is a table of curves, `Simulator` a run on its simulated clock that you decide, `Optimizer`,
`Sampler` and `Stopper` are the program's methods under a loop of yours, and `replay`, `study` and
`analyze` are the commands. `curvebook.optuna` and `curvebook.syne_tune` are bridges to these.
"""

from ._curvebook import (
    Frame,
    Optimizer,
    Replay,
    Simulator,
    Table,
    __version__,
    analyze,
    methods,
    read_runs,
    read_trace,
    replay,
    study,
)
from ._errors import InputError
from ._methods import Sampler, Stopper

__all__ = [
    "Frame",
    "InputError",
    "Optimizer",
    "Replay",
    "Sampler",
    "Simulator",
    "Stopper",
    "Table",
    "__version__",
    "analyze",
    "methods",
    "read_runs",
    "read_trace",
    "replay",
    "study",
]
