"""Formulas of one variable as text, evaluated without running code."""

import ast
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OPERATORS: dict[type[ast.operator] | type[ast.unaryop], Callable[..., Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}
FUNCTIONS: dict[str, Callable[[Array], Array]] = {"exp": np.exp, "tanh": np.tanh, "cosh": np.cosh}


def formula(text: str) -> Callable[[Array], Array]:
    """Turn a formula of x into a function.

    Parameters
    ----------
    text : str
        Numbers, the variable ``x``, the operators ``+ - * / **``, brackets, and exp, tanh and cosh: what the BPX standard
        allows.

    Returns
    -------
    callable
        Vectorised function of x.

    Raises
    ------
    ValueError
        If the text holds anything else.

    Examples
    --------
    >>> formula("2 * exp(-x) + x**2")(np.array([0.0, 1.0])).round(4).tolist()
    [2.0, 1.7358]
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(
            f"{text[:60]!r} is not a formula of x; use numbers, x, + - * / ** and brackets"
        ) from None

    def evaluate(x: Array) -> Array:
        points = np.asarray(x, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.broadcast_to(_value(tree, points), points.shape).astype(np.float64)

    return evaluate


def _check(node: ast.AST) -> None:
    """Refuse every kind of node but those of arithmetic."""
    match node:
        case ast.Constant(value=int() | float()) | ast.Name(id="x"):
            return
        case ast.UnaryOp(op=op, operand=inner) if type(op) in OPERATORS:
            _check(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            _check(left)
            _check(right)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            _check(argument)
        case _:
            raise ValueError(
                f"{ast.unparse(node)[:60]!r} is not allowed in a formula; "
                f"use numbers, x, + - * / ** and {', '.join(FUNCTIONS)}"
            )


def _value(node: ast.AST, x: Array) -> Array:
    """Evaluate a checked tree."""
    match node:
        case ast.Constant(value=value):
            return np.asarray(value, dtype=np.float64)
        case ast.UnaryOp(op=op, operand=inner):
            return OPERATORS[type(op)](_value(inner, x))
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_value(left, x), _value(right, x))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](_value(argument, x))
    return x
