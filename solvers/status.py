"""How a solve ended, in words that say what to do about it."""

from enum import Enum


class Status(Enum):
    """Outcome of a solver; its value is a text that diagnoses and gives the remedy.

    Physics is not failure: `NOT_PERCOLATING` and `CUT_OFF` are answers, never exceptions.
    """

    CONVERGED = "converged: the estimated error is within the tolerance."
    NOT_PERCOLATING = (
        "not percolating: no path of conducting voxels joins the two electrodes, so the effective "
        "conductivity is exactly 0; nothing needs to be repaired unless a path was expected, in which case "
        "check the labels, the axis and the resolution of the narrowest throats."
    )
    CUT_OFF = (
        "cut off: no interface can be reached from the separator, so the resistance of the electrode is infinite; "
        "nothing needs to be repaired unless a path was expected, in which case check the labels, the axis and which "
        "end of it the separator is (the first layer)."
    )
    NO_INTERFACE = (
        "no interface: no face of a conducting voxel borders on what is to be charged, so that the electrode has no "
        "resistance to speak of; check the labels, the conductivities and `onto`."
    )
    ITERATION_LIMIT = (
        "not converged: the iteration limit was reached before the estimated error met the tolerance; raise "
        "max_iterations or loosen the tolerance (the returned error_estimate says how far it got)."
    )
    PRECISION_LIMIT = (
        "not converged: rounding stopped the iteration above the tolerance; use precision='double' or loosen "
        "the tolerance (the returned error_estimate says how far it got)."
    )

    @property
    def is_answer(self) -> bool:
        """Whether the numbers that come with this status may be used as they stand."""
        return self in {Status.CONVERGED, Status.NOT_PERCOLATING, Status.CUT_OFF}


class SolverError(RuntimeError):
    """Raised by a solver called with ``throw=True`` when its status is not an answer.

    Parameters
    ----------
    status : Status
        What went wrong and what to do about it.
    detail : str, default ""
        The numbers of this case, appended to the text of the status.

    Attributes
    ----------
    status : Status
        The same status, for callers that catch the error.
    """

    def __init__(self, status: Status, detail: str = "") -> None:
        super().__init__(f"{status.value} {detail}".strip())
        self.status = status
        self.detail = detail

    def __reduce__(self) -> tuple[type["SolverError"], tuple[Status, str]]:
        """Pickle with the status, so that the error crosses process boundaries whole."""
        return type(self), (self.status, self.detail)
