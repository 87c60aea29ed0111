"""Pictures for the report: structures seen from outside, figures as SVG without styles."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from meso import Mesostructure, Phase
from meso.views import camera, coarse_labels, view_structure
from studies.figures import new_figure, render
from studies.vector import as_svg


def ball(count=40, radius=14.0):
    """A ball of active material in a cube of pores, one micrometre a voxel."""
    grid = np.indices((count,) * 3) - (count - 1) / 2
    inside = (grid**2).sum(axis=0) <= radius**2
    return Mesostructure(np.where(inside, Phase.ACTIVE, Phase.PORE).astype(np.uint8), voxel_size=1e-6)


@pytest.mark.parametrize("direction", [(0.0, 0.0), (-0.6, 0.4), (2.3, -0.9)])
def test_a_ball_looks_like_a_disc_from_anywhere(direction):
    azimuth, elevation = direction
    picture = view_structure(ball(), width=300, azimuth=azimuth, elevation=elevation)
    across = np.abs(camera(azimuth, elevation)[0]).sum() * 40.0
    area = np.count_nonzero(picture[..., 3]) * (across / 300) ** 2
    assert area == pytest.approx(np.pi * 14.0**2, rel=0.02)


def test_a_solid_block_covers_its_projection():
    block = Mesostructure(np.full((30, 20, 10), Phase.ACTIVE), voxel_size=(1e-6, 2e-6, 3e-6))
    picture = view_structure(block, width=400)
    frame, size = camera(), np.array([30.0, 40.0, 30.0])
    sides = np.array([size[1] * size[2], size[0] * size[2], size[0] * size[1]])
    covered = np.count_nonzero(picture[..., 3]) * (np.abs(frame[0]) @ size / 400) ** 2
    assert covered == pytest.approx(np.abs(frame[2]) @ sides, rel=0.01)


def test_nothing_is_drawn_of_an_absent_phase():
    assert not view_structure(ball(), phases=(Phase.BINDER,), width=50).any()


def test_separator_is_on_the_left_and_axis_1_points_up():
    labels = np.zeros((20, 20, 20), dtype=np.uint8)
    labels[:5, 15:, :] = Phase.ACTIVE
    picture = view_structure(Mesostructure(labels, voxel_size=1e-6), azimuth=0.0, elevation=0.0, width=100)
    rows, columns = np.nonzero(picture[..., 3])
    assert (rows.max(), columns.max()) == (24, 24)


def test_views_refuse_nothing_to_draw():
    with pytest.raises(ValueError, match="must not be empty"):
        view_structure(ball(10, 3.0), phases=())


def test_coarse_labels_keep_the_majority():
    labels = np.zeros((8, 8, 9), dtype=np.uint8)
    labels[:4] = Phase.BINDER
    labels[0, 0, 0] = Phase.ACTIVE
    coarse = coarse_labels(Mesostructure(labels, voxel_size=1e-6), voxels=72)
    assert coarse.shape == (4, 4, 4)
    assert coarse[:, 0, 0].tolist() == [Phase.BINDER, Phase.BINDER, Phase.PORE, Phase.PORE]
    fine = Mesostructure(labels, voxel_size=1e-6)
    assert np.array_equal(coarse_labels(fine, voxels=fine.labels.size), labels)


def drawn():
    figure, axes = new_figure(3.0, 2.0)
    axes.plot([0, 1], [0, 1], color="#0072B2")
    axes.scatter([0], [1])
    axes.set_title("<b> & 95 %")
    axes.set_ylabel("thickness [µm]")
    axes.imshow(np.eye(2), clip_on=True)
    return figure


def test_svg_has_no_styles_and_keeps_text():
    svg = as_svg(drawn(), key="first", label='says "no"')
    root = ET.fromstring(svg)
    assert not re.search(r"style|<script|xlink|xmlns", svg)
    texts = {text.text for text in root.iter("text")}
    assert {"<b> & 95 %", "thickness [µm]"} <= texts
    assert all(text.get("fill") == "currentColor" and text.get("font-size") for text in root.iter("text"))
    assert root.attrib["aria-label"] == 'says "no"'
    assert root.find(".//image").get("href").startswith("data:image/png;base64,")


def test_identifiers_of_two_figures_do_not_meet():
    pages = [as_svg(drawn(), key=key, label="") for key in ("first", "second")]
    names = [set(re.findall(r' id="([^"]+)"', svg)) for svg in pages]
    assert names[0]
    assert not names[0] & names[1]
    for svg, own in zip(pages, names, strict=True):
        used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
        assert used
        assert used <= own


def test_drawings_do_not_depend_on_the_hour():
    assert as_svg(drawn(), key="a", label="") == as_svg(drawn(), key="a", label="")
    assert render(drawn()) == render(drawn())
