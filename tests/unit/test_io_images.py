"""Images in and out: what was written comes back, what cannot be read is named."""

import numpy as np
import pytest
import tifffile

from meso import ElectrodeDesign, Mesostructure, Phase, SizeClass, generate, load, save

EDGES = (0.4e-6, 0.39812e-6, 0.3e-6)


@pytest.fixture
def image():
    labels = np.random.default_rng(5087).integers(0, 3, (5, 6, 7))
    return Mesostructure(labels, voxel_size=EDGES, periodic=True)


@pytest.mark.parametrize("name", ["a.npz", "a.tif", "a.TIFF", "a.ome.tif"])
def test_labels_and_voxel_size_come_back(image, tmp_path, name):
    save(image, tmp_path / name)
    back = load(tmp_path / name)
    assert np.array_equal(back.labels, image.labels)
    assert back.voxel_size == pytest.approx(EDGES, rel=1e-7)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_everything_comes_back_from_npz(tmp_path):
    design = ElectrodeDesign(
        thickness=18e-6, porosity=0.4, binder_fraction=0.1, size_classes=(SizeClass(diameter=6e-6),)
    )
    structure = generate(design, voxel_size=1.5e-6, width=12e-6, seed=731)
    save(structure, tmp_path / "s.npz")
    back = load(tmp_path / "s.npz")
    assert back.periodic
    assert np.array_equal(back.particle_ids, structure.particle_ids)
    assert np.array_equal(back.particles.centres, structure.particles.centres)
    assert (back.particles.domain, back.particles.overlap) == (
        structure.particles.domain,
        structure.particles.overlap,
    )
    for phase in (Phase.ACTIVE, Phase.BINDER):
        for ours, theirs in zip(back.face_fractions[phase], structure.face_fractions[phase], strict=True):
            assert np.array_equal(ours, theirs)


def test_plain_arrays_are_read_and_the_caller_knows_the_scale(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 2), dtype=np.uint8))
    np.savez(tmp_path / "b.npz", anything=np.ones((2, 2, 2), dtype=np.uint8))
    np.savez(tmp_path / "c.npz", labels=np.ones((2, 2, 2), dtype=np.uint8), other=np.zeros(3))
    assert load(tmp_path / "a.npy", voxel_size=EDGES).voxel_size == EDGES
    assert load(tmp_path / "b.npz").voxel_size == (1e-6, 1e-6, 1e-6)
    assert load(tmp_path / "c.npz").labels.all()


def test_other_label_codes_are_mapped(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.array([[[0, 128], [255, 255]]], dtype=np.uint8), photometric="minisblack"
    )
    back = load(tmp_path / "a.tif", relabel={0: Phase.BINDER, 128: Phase.ACTIVE, 255: Phase.PORE})
    assert back.labels.tolist() == [[[2, 1], [0, 0]]]
    np.save(tmp_path / "b.npy", np.array([[[True, False]]]))
    assert load(tmp_path / "b.npy", relabel={False: 1, True: 0}).labels.tolist() == [[[0, 1]]]


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.npy", np.full((2, 2, 2), 255), r"got \[255\] as int64; pass relabel"),
        ("a.npy", np.zeros((2, 2, 2), dtype=bool), "pass relabel"),
        ("a.npy", np.zeros((2, 2)), "three dimensions"),
        ("a.npy", np.zeros((0, 2, 2)), "at least one voxel"),
        ("a.npy", np.linspace(0, 1, 27).reshape(3, 3, 3), "segmented"),
        ("a.tif", b"no image", "not a readable .tif"),
        ("a.npz", b"no archive", "not a readable .npz"),
        ("a.npy", b"", "not a readable .npy"),
        ("a.png", b"", "must end in"),
    ],
)
def test_unreadable_files_are_named_with_the_remedy(tmp_path, name, content, rule):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(ValueError, match=rule) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_archive_of_several_arrays_needs_labels(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.zeros(3), two=np.zeros(3))
    with pytest.raises(ValueError, match="one named 'labels', got \\['one', 'two'\\]"):
        load(tmp_path / "a.npz")


def test_missing_files_and_folders(image, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load(tmp_path / "none.npy")
    with pytest.raises(FileNotFoundError, match="create it first"):
        save(image, tmp_path / "none" / "a.npz")
    with pytest.raises(ValueError, match="must end in"):
        save(image, tmp_path / "a.png")


def test_a_failed_write_leaves_the_old_file(image, tmp_path, monkeypatch):
    save(image, tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()

    def broken(file, **_):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", broken)
    with pytest.raises(OSError, match="disk full"):
        save(image, tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_reference_tomogram(reference):
    tomogram = load(reference / "images" / "nrel_nmc1cal_crop128.npz", voxel_size=398e-9)
    assert [round(tomogram.volume_fraction(phase), 3) for phase in Phase] == [0.380, 0.525, 0.095]
