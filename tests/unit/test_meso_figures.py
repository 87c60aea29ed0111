"""Pictures of structures show every voxel and phase, with units; tables of notebooks carry a picture that is one."""

import base64
import io
import re

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from meso import Mesostructure, ParticlePacking, Phase
from meso.figures import COLOURS
from meso.tables import indexed_png


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def structure():
    labels = np.random.default_rng(59).integers(0, 3, (12, 5, 6))
    return Mesostructure(labels, voxel_size=(1e-6, 2e-6, 0.5e-6))


def test_a_cut_shows_every_voxel_at_its_place(structure):
    axes = structure.plot()
    assert np.array_equal(axes.images[0].get_array(), structure.labels[:, 2].T)
    assert axes.images[0].get_extent() == pytest.approx((0.0, 12.0, 0.0, 3.0))
    cut = structure.labels[:, 2].T
    painted = axes.images[0].to_rgba(cut)
    for phase in Phase:
        where = cut == phase
        assert np.allclose(painted[where][:, :3], to_rgb(COLOURS[phase]), atol=1e-6)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["pore", "active", "binder"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("depth from the separator [µm]", "width [µm]")


def test_fractions_fill_the_height(structure):
    axes = structure.plot_fractions()
    top = axes.collections[-1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(1.0)
    assert axes.get_xlim() == (0.0, 12.0)
    assert axes.get_ylabel() == "volume fraction [-]"


def test_a_view_has_its_size_in_the_title_and_the_separator_on_the_left():
    """Active at the separator, binder at the collector: blue is left of orange."""
    labels = np.zeros((8, 6, 6), dtype=np.uint8)
    labels[:2], labels[-2:] = Phase.ACTIVE, Phase.BINDER
    axes = Mesostructure(labels, voxel_size=(2e-6, 1e-6, 1e-6)).plot_3d()
    assert axes.get_title(loc="left") == "16 × 6 × 6 µm, separator on the left"
    picture = np.asarray(axes.images[0].get_array(), dtype=np.float64)
    seen = picture[..., 3] > 0
    columns = np.broadcast_to(np.arange(picture.shape[1]), seen.shape)
    blue, orange = (seen & (picture[..., 2] > picture[..., 0])), (seen & (picture[..., 2] < picture[..., 0]))
    assert columns[blue].max() < columns[orange].min() + 0.3 * picture.shape[1]
    assert columns[blue].mean() < columns[orange].mean()


def test_sizes_add_up_to_the_whole_volume():
    packing = ParticlePacking(
        centres=np.full((3, 3), 10e-6),
        radii=np.array([1e-6, 2e-6, 4e-6]),
        domain=(20e-6,) * 3,
        size_class=np.array([0, 0, 1]),
    )
    axes = packing.plot()
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    assert [sum(bars) for bars in heights] == pytest.approx([100 * 9 / 73, 100 * 64 / 73])
    assert axes.get_xlabel().endswith("[µm]")


def test_the_style_is_that_of_the_project_and_leaves_the_session_alone(structure):
    before = dict(mpl.rcParams)
    axes = structure.plot_fractions()
    assert not axes.spines["top"].get_visible()
    assert dict(mpl.rcParams) == before


def test_small_pictures_are_png_of_the_right_colours():
    image = plt.imread(io.BytesIO(indexed_png(np.array([[0, 1, 2], [2, 2, 0]], np.uint8), COLOURS.values())))
    assert image.shape[:2] == (2, 3)
    for (row, column), phase in {(0, 0): Phase.PORE, (0, 1): Phase.ACTIVE, (1, 0): Phase.BINDER}.items():
        assert image[row, column, :3] == pytest.approx(to_rgb(COLOURS[phase]), abs=1e-6)


def test_a_notebook_shows_the_cut_and_the_fractions(structure):
    text = structure._repr_html_()
    picture = re.search(r"base64,([^\"]+)", text)[1]
    assert plt.imread(io.BytesIO(base64.b64decode(picture))).shape[:2] == (6, 12)
    for phase in Phase:
        share = np.count_nonzero(structure.labels == phase) / structure.labels.size
        assert f"<td>{phase.name.lower()}</td><td>{share:.4f}</td><td>-</td>" in text
