"""Current densities at the centres of cells, from the potentials; cells as in `voxels`."""

import numpy as np
from numba import njit

from solvers._kernels.voxels import link

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def flow_through(conducts, cell, areas, ends, factors, wraps, potential, z, y, x, side):
    """Return the current that enters a cell through one face; inlet and outlet are at the potentials 1 and 0."""
    weight, zz, yy, xx = link(conducts, cell, areas, ends, factors, wraps, z, y, x, side)
    if weight <= 0.0:
        return 0.0
    beyond = float(potential[zz, yy, xx]) if zz >= 0 else 1.0 - side
    return weight * (beyond - float(potential[z, y, x])) if not np.isnan(beyond) else 0.0


@jit
def map_currents(
    first, last, conducts, cell, areas, ends, factors, wraps, potential, scales, centred, component, out
):
    """Write the current density of every cell: its length, or one of its components; 0 where the potential is NaN.

    A component is the mean over the two faces of a cell, times `scales`. Where inlet and outlet are the centres of the
    end layers (`centred`), these have one face each.
    """
    n0, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                out[z, y, x] = 0.0
                if np.isnan(potential[z, y, x]):
                    continue
                square = 0.0
                for axis in range(3):
                    if component >= 0 and axis != component:
                        continue
                    lower, upper = 2 * axis, 2 * axis + 1
                    along = 0.0
                    if not (centred and axis == 0 and z == 0):
                        along += flow_through(
                            conducts, cell, areas, ends, factors, wraps, potential, z, y, x, lower
                        )
                    if not (centred and axis == 0 and z == n0 - 1):
                        along -= flow_through(
                            conducts, cell, areas, ends, factors, wraps, potential, z, y, x, upper
                        )
                    along *= scales[axis] * (
                        1.0 if centred and axis == 0 and (z == 0 or z == n0 - 1) else 0.5
                    )
                    if axis == component:
                        out[z, y, x] = along
                    square += along * along
                if component < 0:
                    out[z, y, x] = np.sqrt(square)
