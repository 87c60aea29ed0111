"""The spread of a measure falls with the width as that of an average of independent parts."""

import numpy as np
import pytest

from meso import ElectrodeDesign, Phase, SizeClass, representative_width

DESIGN = ElectrodeDesign(
    thickness=24e-6, porosity=0.5, binder_fraction=0.0, size_classes=(SizeClass(diameter=4e-6, spread=1.1),)
)


def first_slice(structure):
    """Active fraction of one slice: an average over area / correlation area independent parts."""
    return structure.fraction_profile(Phase.ACTIVE)[structure.shape[0] // 2]


def test_spread_of_a_slice_falls_with_its_width():
    result = representative_width(DESIGN, 0.02, measure=first_slice, widths=(12e-6, 36e-6), seeds=10)
    assert result.means == pytest.approx(0.5, abs=0.03)
    assert 1.5 < result.spreads[0] / result.spreads[1] < 6.0
    assert np.all(result.spreads > 0)
    closer = representative_width(DESIGN, 0.01, measure=first_slice, widths=(12e-6, 36e-6), seeds=10)
    assert closer.width == pytest.approx(2 * result.width, rel=1e-9)


def test_default_measure_and_cubes():
    result = representative_width(DESIGN, 0.01, widths=(16e-6,), seeds=3, cube=True)
    assert result.width > 0
    with pytest.raises(ValueError, match="relative spread"):
        representative_width(DESIGN, 5.0)
    with pytest.raises(ValueError, match="at least 2"):
        representative_width(DESIGN, 0.01, seeds=1)
