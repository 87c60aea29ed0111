"""Material properties as functions of one variable, tabulated once so that kernels read every chemistry alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers._kernels.curves import evaluate

INTERVALS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Piecewise cubic function on a uniform grid, constant outside it.

    Build one with `Curve.constant`, `Curve.from_function` or `Curve.from_points`, and call it.

    Parameters
    ----------
    table : ndarray, shape (intervals + 2, 2), float64
        Row 0 holds the lower end of the grid and the inverse of its step; row ``1 + i`` the value at grid point ``i``
        and the slope there times the step.

    Raises
    ------
    ValueError
        If the table has another shape, or holds a number that is not finite.

    Examples
    --------
    >>> curve = Curve.from_function(lambda x: x**3, lower=0.0, upper=2.0)
    >>> round(float(curve(1.5)), 9)
    3.375
    """

    table: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the table and make it read-only."""
        table = np.array(self.table, dtype=np.float64, order="C")
        if table.ndim != 2 or table.shape[0] < 3 or table.shape[1] != 2:
            raise ValueError(
                f"table must have shape (intervals + 2, 2), got {table.shape}; use Curve.from_points"
            )
        if not np.isfinite(table).all():
            raise ValueError(
                "table must be finite, got NaN or infinity; does the function exist on the whole range?"
            )
        table.setflags(write=False)
        object.__setattr__(self, "table", table)

    def __reduce__(self) -> tuple[type["Curve"], tuple[NDArray[np.float64]]]:
        """Pickle through the constructor, so that the copy is checked and read-only as well."""
        return type(self), (self.table,)

    @property
    def lower(self) -> float:
        """Lower end of the tabulated range."""
        return float(self.table[0, 0])

    @property
    def upper(self) -> float:
        """Upper end of the tabulated range."""
        return float(self.table[0, 0] + (len(self.table) - 2) / self.table[0, 1])

    @property
    def is_constant(self) -> bool:
        """Whether the curve has the same value everywhere."""
        return bool(np.all(self.table[1:, 0] == self.table[1, 0]) and not self.table[1:, 1].any())

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Evaluate the curve.

        Parameters
        ----------
        x : array_like
            Points, in the unit of the variable.

        Returns
        -------
        ndarray, shape of `x`, float64
            Values; outside the tabulated range that of its nearer end.
        """
        points = np.asarray(x, dtype=np.float64)
        return np.asarray(evaluate(np.ascontiguousarray(points).ravel(), self.table)).reshape(points.shape)

    def scaled(self, factor: float) -> Self:
        """Multiply the values by a factor.

        Parameters
        ----------
        factor : float
            Multiplier.

        Returns
        -------
        Curve
            The scaled curve.
        """
        table = self.table.copy()
        table[1:] *= factor
        return type(self)(table)

    @classmethod
    def constant(cls, value: float) -> Self:
        """Build a curve with one value everywhere.

        Parameters
        ----------
        value : float
            The value.

        Returns
        -------
        Curve
            The constant curve.
        """
        return cls(np.array([[0.0, 1.0], [value, 0.0], [value, 0.0]]))

    @classmethod
    def from_function(
        cls, function: Callable[[NDArray[np.float64]], NDArray[np.float64]], *, lower: float, upper: float
    ) -> Self:
        """Tabulate a smooth function.

        Parameters
        ----------
        function : callable
            Vectorised function, defined on the closed range.
        lower, upper : float
            Range to tabulate, in the unit of the variable.

        Returns
        -------
        Curve
            Cubic Hermite table on 2000 equal intervals; its error is of fourth order in their width.

        Raises
        ------
        ValueError
            If the range is empty or the function is not finite on it.
        """
        if not lower < upper:
            raise ValueError(f"upper must exceed lower = {lower}, got {upper}; swap them?")
        grid = np.linspace(lower, upper, INTERVALS + 1)
        step = grid[1] - grid[0]
        # One hundredth of a step: the truncation error of the slope stays far below that of the interpolation.
        delta = 0.01 * step
        inner = np.clip(grid, lower + delta, upper - delta)
        slopes = (function(inner + delta) - function(inner - delta)) / (2.0 * delta)
        return cls._from_grid(lower, step, function(grid), slopes)

    @classmethod
    def from_points(cls, x: ArrayLike, y: ArrayLike) -> Self:
        """Interpolate measured points without overshoot.

        Parameters
        ----------
        x : array_like, shape (n,)
            Abscissae, strictly increasing, at least two.
        y : array_like, shape (n,)
            Ordinates.

        Returns
        -------
        Curve
            Monotone cubic interpolant (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238, 1980), resampled.

        Raises
        ------
        ValueError
            If fewer than two points are given, or the abscissae do not increase.
        """
        from scipy.interpolate import PchipInterpolator

        abscissae, ordinates = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if abscissae.ndim != 1 or abscissae.size < 2 or abscissae.shape != ordinates.shape:
            raise ValueError(
                f"x and y must be equally long with two points or more, got {abscissae.shape} and {ordinates.shape}"
            )
        if not np.all(np.diff(abscissae) > 0):
            raise ValueError(
                "x must increase strictly, got repeated or falling values; sort and merge the points"
            )
        interpolant = PchipInterpolator(abscissae, ordinates)
        grid = np.linspace(abscissae[0], abscissae[-1], INTERVALS + 1)
        return cls._from_grid(grid[0], grid[1] - grid[0], interpolant(grid), interpolant.derivative()(grid))

    @classmethod
    def _from_grid(
        cls, lower: float, step: float, values: NDArray[np.float64], slopes: NDArray[np.float64]
    ) -> Self:
        """Assemble the table from values and slopes on a uniform grid."""
        table = np.empty((len(values) + 1, 2))
        table[0] = lower, 1.0 / step
        table[1:, 0] = values
        table[1:, 1] = slopes * step
        return cls(table)


def combine(function: Callable[..., NDArray[np.float64]], first: Curve, second: Curve | None = None) -> Curve:
    """Apply a smooth function to the values of curves of the same variable.

    Parameters
    ----------
    function : callable
        Vectorised, of one value from each curve.
    first, second : Curve
        The curves.

    Returns
    -------
    Curve
        Over the ranges of all of them; constant where all are.

    Examples
    --------
    >>> line = Curve.from_function(lambda x: 2.0 * x, lower=0.0, upper=3.0)
    >>> round(float(combine(lambda a, b: a * b, line, Curve.constant(5.0))(1.0)), 9)
    10.0
    """
    curves = [curve for curve in (first, second) if curve is not None]
    varying = [curve for curve in curves if not curve.is_constant]
    if not varying:
        return Curve.constant(float(function(*(curve(0.0) for curve in curves))))
    return Curve.from_function(
        lambda x: function(*(curve(x) for curve in curves)),
        lower=min(curve.lower for curve in varying),
        upper=max(curve.upper for curve in varying),
    )
