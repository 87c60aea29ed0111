"""Images in and out: what was written comes back, what cannot be read is named."""

import numpy as np
import pytest
import tifffile

from meso import ElectrodeDesign, Mesostructure, Phase, SizeClass, generate, load, save

EDGES = (0.4e-6, 0.39812e-6, 0.3e-6)


@pytest.fixture
def image():
    rng = np.random.default_rng(5087)
    labels = rng.integers(0, 3, (5, 6, 7))
    return Mesostructure(
        labels, voxel_size=EDGES, periodic=True, particle_ids=rng.integers(0, 9, labels.shape)
    )


CARRIED = {"a.npz": True, "a.tif": False, "a.TIFF": False, "a.ome.tif": False, "a.vti": True, "a.nc": True}
"""Whether a format carries particle ids."""


@pytest.mark.parametrize("name", CARRIED)
def test_what_was_written_comes_back_to_the_last_bit(image, tmp_path, name):
    save(image, tmp_path / name)
    back = load(tmp_path / name)
    assert np.array_equal(back.labels, image.labels)
    assert (back.voxel_size, back.periodic) == (EDGES, True)
    assert (
        np.array_equal(back.particle_ids, image.particle_ids) if CARRIED[name] else back.particle_ids is None
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]
    aperiodic = Mesostructure(image.labels, voxel_size=1e-6)
    save(aperiodic, tmp_path / name)
    assert not load(tmp_path / name).periodic


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_tiff_is_what_other_programs_expect(image, tmp_path, name):
    save(image, tmp_path / name)
    with tifffile.TiffFile(tmp_path / name) as file:
        assert (file.series[0].axes, file.series[0].dtype, file.series[0].shape) == (
            "ZYX",
            "uint8",
            (5, 6, 7),
        )
        if name == "a.tif":
            assert file.imagej_metadata["spacing"] == pytest.approx(0.4)
            assert file.imagej_metadata["unit"] == "um"
            count, length = file.pages.first.tags["XResolution"].value
            assert count / length == pytest.approx(1 / 0.3, rel=1e-6)
        else:
            pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
            sizes = [pixels[f"PhysicalSize{axis}"] for axis in "ZYX"]
            assert sizes == pytest.approx([0.4, 0.39812, 0.3])
            assert {pixels[f"PhysicalSize{axis}Unit"] for axis in "ZYX"} == {"µm"}


def test_a_scale_that_others_set_overrules_our_note(image, tmp_path):
    save(image, tmp_path / "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif", mode="r+b") as file:
        text = file.ome_metadata
        halved = text.replace('PhysicalSizeZ="0.4"', 'PhysicalSizeZ="0.2"')
        assert halved != text
        file.pages.first.tags["ImageDescription"].overwrite(halved.encode())
    assert load(tmp_path / "a.ome.tif").voxel_size == (0.2e-6, *EDGES[1:])


@pytest.fixture
def fields(image):
    field = np.linspace(1, 0, image.labels.size, dtype=np.float32).reshape(image.shape)
    field[0, 0, 0] = np.nan
    return {"potential [1]": field, "current_density [S.m-1]": field**2}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("encoded", [False, True])
def test_vtk_reads_what_we_write_and_we_what_it_writes(image, fields, tmp_path, compressed, encoded):
    xml = pytest.importorskip("vtkmodules.vtkIOXML", reason="vtk comes with porespy where it has wheels")
    from vtkmodules.util.numpy_support import vtk_to_numpy

    save(image, tmp_path / "a.vti", fields=fields)
    reader = xml.vtkXMLImageDataReader()
    reader.SetFileName(str(tmp_path / "a.vti"))
    reader.Update()
    output = reader.GetOutput()
    assert output.GetDimensions() == (8, 7, 6)
    assert output.GetSpacing() == pytest.approx((0.3, 0.39812, 0.4), rel=1e-14)
    for name, values in {"labels": image.labels, "particle_ids": image.particle_ids, **fields}.items():
        theirs = vtk_to_numpy(output.GetCellData().GetArray(name))
        assert theirs.dtype == values.dtype
        assert np.array_equal(theirs.reshape(image.shape), values, equal_nan=True)
    writer = xml.vtkXMLImageDataWriter()
    writer.SetFileName(str(tmp_path / "b.vti"))
    writer.SetInputData(output)
    writer.SetEncodeAppendedData(encoded)
    writer.SetCompressorTypeToZLib() if compressed else writer.SetCompressorTypeToNone()
    writer.SetBlockSize(64)
    assert writer.Write() == 1
    back = load(tmp_path / "b.vti")
    assert np.array_equal(back.labels, image.labels)
    assert np.array_equal(back.particle_ids, image.particle_ids)
    assert (back.voxel_size, back.periodic) == (EDGES, True)


def test_vti_of_pyevtk(image, tmp_path):
    """Its arrays run in VTK's order of axes, and it knows no unit: lengths are micrometres."""
    pyevtk = pytest.importorskip("pyevtk.hl", reason="pyevtk comes with porespy")
    theirs = np.asfortranarray(image.labels.T)
    pyevtk.imageToVTK(str(tmp_path / "a"), spacing=(0.3, 0.39812, 0.4), cellData={"phase": theirs})
    back = load(tmp_path / "a.vti")
    assert np.array_equal(back.labels, image.labels)
    assert back.voxel_size == EDGES


def test_netcdf_has_coordinates_and_units(image, fields, tmp_path):
    from scipy.io import netcdf_file

    save(image, tmp_path / "a.nc", fields=fields)
    with netcdf_file(tmp_path / "a.nc", mmap=False) as file:
        assert file.Conventions == b"CF-1.11"
        assert file.variables["labels"].dimensions == ("z", "y", "x")
        assert file.variables["labels"].flag_meanings == b"pore active binder"
        assert file.variables["labels"].flag_values.tolist() == [0, 1, 2]
        assert file.variables["z"].units == b"m"
        assert file.variables["z"][:] == pytest.approx((np.arange(5) + 0.5) * 0.4e-6)
        assert file.variables["current_density"].units == b"S m-1"
        assert file.variables["potential"].units == b"1"
        assert np.array_equal(file.variables["potential"][:], fields["potential [1]"], equal_nan=True)


def test_netcdf_of_others_is_read_by_its_coordinates(image, tmp_path):
    xarray = pytest.importorskip("xarray", reason="an independent writer of netCDF")
    coordinates = {
        name: (name, np.arange(n) * edge, {"units": "m"})
        for name, n, edge in zip("zyx", image.shape, EDGES, strict=True)
    }
    array = xarray.DataArray(image.labels.astype("i1"), dims=tuple("zyx"), coords=coordinates, name="phase")
    array.to_netcdf(tmp_path / "a.nc", engine="scipy")
    back = load(tmp_path / "a.nc")
    assert np.array_equal(back.labels, image.labels)
    assert back.voxel_size == pytest.approx(EDGES, rel=1e-9)
    save(image, tmp_path / "b.nc")
    with xarray.open_dataset(tmp_path / "b.nc") as ours:
        assert np.array_equal(ours.labels.sel(z=1.0e-6, method="nearest"), image.labels[2])


def test_fields_that_do_not_fit(image, fields, tmp_path):
    with pytest.raises(ValueError, match=r"a.tif: fields are written to .vti and .nc, got .tif"):
        save(image, tmp_path / "a.tif", fields=fields)
    with pytest.raises(ValueError, match=r"structure's shape \(5, 6, 7\), got 'flux' of shape \(3,\)"):
        save(image, tmp_path / "a.vti", fields={"flux": np.ones(3)})
    with pytest.raises(ValueError, match=r"must be named 'name' or 'name \[unit\]', got 'flux \[S'"):
        save(image, tmp_path / "a.nc", fields={"flux [S": fields["potential [1]"]})
    assert not list(tmp_path.iterdir())


def test_netcdf_4_is_named(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ValueError, match="format='NETCDF3_64BIT'"):
        load(tmp_path / "a.nc")


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
