"""A table of curvebook's as a blackbox of Syne Tune's repository.

`blackbox(table)` is what `syne_tune.blackbox_repository.UserBlackboxBackend` simulates. Needs
`pip install syne-tune`.
"""

from __future__ import annotations

import numpy
import pandas
from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular
from syne_tune.config_space import choice, lograndint, loguniform, randint, uniform

from ._curvebook import Table

__all__ = ["ELAPSED", "TableBlackbox", "blackbox", "configuration_space"]

ELAPSED = "elapsed_time"
"""The name of the objective that holds the seconds since a training began."""


def _domain(parameter: dict):
    """A hyperparameter as a domain of Syne Tune's."""
    if "condition" in parameter:
        raise ValueError(f"`{parameter['name']}` has a condition, which Syne Tune does not know")
    choices = parameter.get("choices") or parameter.get("values")
    if choices is not None:
        return choice(choices)
    low, high, log = parameter["low"], parameter["high"], parameter.get("log", False)
    if parameter["type"] == "int":
        return (lograndint if log else randint)(low, high)
    return (loguniform if log else uniform)(low, high)


def configuration_space(table: Table) -> dict:
    """The table's hyperparameters as a configuration space of Syne Tune's."""
    return {parameter["name"]: _domain(parameter) for parameter in table.parameters}


class TableBlackbox(BlackboxTabular):
    """A table that answers for any configuration of its space: with the row nearest to it.

    That is what a replay of curvebook's makes of a proposal, but for rows that have run already:
    Syne Tune may run one again.
    """

    def __init__(self, table: Table, places: dict[int, int], **parts) -> None:
        super().__init__(**parts)
        self._table = table
        self._places = places

    def _objective_function(self, configuration, fidelity=None, seed=None):
        if isinstance(configuration, dict):
            row, _ = self._table.nearest(configuration)
            place = self._places[row]
            if fidelity is not None:
                at = self.fidelity_map[next(iter(fidelity.values()))]
                told = self.objectives_evaluations[place, 0, at, :]
                return dict(zip(self.objectives_names, told))
            configuration = place
        return super()._objective_function(configuration, fidelity, 0)


def blackbox(table: Table) -> TableBlackbox:
    """The table's first recorded training of each configuration, epoch by epoch.

    Objectives are the metric and `elapsed_time`, the seconds since the training began. What was
    not recorded or measured is NaN, which Syne Tune does not report. A configuration that the table
    does not have is the row nearest to it. Of rows with the same configuration the first is kept,
    since Syne Tune wants them apart.
    """
    epochs, metric = table.epochs, table.metric["name"]
    rows, places, seen, configs = [], {}, {}, []
    for row in table.rows:
        config = table.config(row)
        key = tuple(config.values())
        if key not in seen:
            seen[key] = len(rows)
            rows.append(row)
            configs.append(config)
        places[row] = seen[key]
    evaluations = numpy.full((len(rows), 1, epochs, 2), numpy.nan)
    for at, row in enumerate(rows):
        values, seconds = table.curve(row)
        evaluations[at, 0, : len(values), 0] = [numpy.nan if v is None else v for v in values]
        evaluations[at, 0, : len(seconds), 1] = numpy.cumsum(seconds)
    return TableBlackbox(
        table,
        places,
        hyperparameters=pandas.DataFrame(configs),
        configuration_space=configuration_space(table),
        fidelity_space={"epoch": randint(1, epochs)},
        objectives_evaluations=evaluations,
        objectives_names=[metric, ELAPSED],
    )
