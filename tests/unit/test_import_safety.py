"""Files that promise more than they hold, that run code, or that lead elsewhere: refused at once, in one line."""

import io
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from meso import load, read_sizes
from meso.file_checks import Allowance

ROOT = Path(__file__).resolve().parents[2]
GIGABYTE = 2**30
MEBIBYTES_ALLOWED = 48
"""Growth of the memory while a bomb is refused; the smallest of them unfolds to 1,000."""


def npy_header(shape, dtype="|u1"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": dtype})
    return stream.getvalue()


def zeros(size, *, wbits=15):
    """Deflate many zero bytes by repeating what a mebibyte of them becomes."""
    packer = zlib.compressobj(9, wbits=wbits)
    start = packer.compress(b"")
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + first + again * (size // 2**20 - 1) + packer.flush()


def deflate_bomb(path):
    """A thousand times its size."""
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("labels.npy")
        archive.writestr(member, zeros(GIGABYTE, wbits=-15))
        member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, GIGABYTE


def lying_member(path):
    """A member whose header promises more than the archive says it holds."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", npy_header((4096, 4096, 4096)) + bytes(1000))


def lzma_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("labels.npy", npy_header((64, 1024, 1024)) + bytes(2**26))


def lying_npy(path):
    path.write_bytes(npy_header((4096, 4096, 4096)) + bytes(2**20))


def huge_tiff(path):
    """A small stack whose first page claims 2³¹ × 2³¹ pixels."""
    tifffile.imwrite(path, np.zeros((4, 8, 8), np.uint8), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for page in file.pages:
            for name in ("ImageWidth", "ImageLength"):
                page.tags[name].overwrite(2**31, dtype="I")


def tiff_bomb(path):
    """Pages that all point at one deflated strip: 10 GB from 1 MB."""
    write_tiff(path, strip=zeros(2**26), rows=2**13, width=2**13, pages=160)


def tiff_strip_bomb(path):
    """An honest shape, and a strip that unfolds to a gigabyte."""
    write_tiff(path, strip=zeros(GIGABYTE), rows=8, width=8, pages=2)


def write_tiff(path, *, strip, rows, width, pages):
    """Little-endian TIFF by hand; all pages share the strip."""
    body, directories = b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip, b""
    for number in range(pages):
        tags = [(256, 4, width), (257, 4, rows), (258, 3, 8), (259, 3, 8), (262, 3, 1)]
        tags += [(273, 4, 8), (277, 3, 1), (278, 4, rows), (279, 4, len(strip))]
        end = len(body) + len(directories) + 2 + 12 * len(tags) + 4
        entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        directories += (
            struct.pack("<H", len(tags)) + entries + struct.pack("<I", end if number + 1 < pages else 0)
        )
    path.write_bytes(body + directories)


LAUGHS = "".join(
    f'<!ENTITY l{i} "{"".join([f"&l{i - 1};"] * 10) if i else "lol" * 1000}">' for i in range(10)
)


def entity_tiff(path):
    xml = f'<?xml version="1.0"?><!DOCTYPE OME [{LAUGHS}]><OME><Image><Pixels>&l9;</Pixels></Image></OME>'
    tifffile.imwrite(
        path, np.zeros((2, 4, 4), np.uint8), description=xml, metadata=None, photometric="minisblack"
    )


def vti(path, *, extent, payload, compressor="", entities=""):
    path.write_bytes(
        f'<?xml version="1.0"?>{entities}<VTKFile type="ImageData" byte_order="LittleEndian" header_type="UInt64"'
        f'{compressor}><ImageData WholeExtent="{extent}" Spacing="1 1 1"><Piece><CellData>'
        '<DataArray type="UInt8" Name="labels" format="appended" offset="0"/></CellData></Piece></ImageData>'
        '<AppendedData encoding="raw">_'.encode()
        + payload
        + b"</AppendedData></VTKFile>"
    )


def huge_vti(path):
    vti(path, extent="0 4096 0 4096 0 4096", payload=struct.pack("<Q", 2**36) + bytes(2**20))


def vti_bomb(path):
    packed = zeros(GIGABYTE)
    header = struct.pack("<QQQQ", 1, GIGABYTE, 0, len(packed))
    compressor = ' compressor="vtkZLibDataCompressor"'
    vti(path, extent="0 1024 0 1024 0 1024", payload=header + packed, compressor=compressor)


def vti_block_bomb(path):
    packed = zeros(GIGABYTE)
    header = struct.pack("<QQQQ", 1, 512, 0, len(packed))
    vti(path, extent="0 8 0 8 0 8", payload=header + packed, compressor=' compressor="vtkZLibDataCompressor"')


def entity_vti(path):
    vti(path, extent="0 8 0 8 0 8", payload=b"", entities=f"<!DOCTYPE VTKFile [{LAUGHS}]>")


def netcdf(path, *, side, attribute):
    """Classic netCDF by hand: one byte variable of side³ and a text attribute, as long as they say."""
    name = struct.pack(">I", 4) + b"axis"
    text = struct.pack(">II", 12, 1) + name + struct.pack(">II", 2, attribute) + b"some"
    dimension = struct.pack(">III", 10, 1, 4) + b"axis" + struct.pack(">I", side)
    variable = (
        struct.pack(">III", 11, 1, 4) + b"axis" + struct.pack(">IIII", 3, 0, 0, 0) + struct.pack(">II", 0, 0)
    )
    variable += struct.pack(">IIQ", 1, 2**31 - 1, 200)
    path.write_bytes(b"CDF\x02" + struct.pack(">I", 0) + dimension + text + variable + bytes(2**20))


def huge_netcdf(path):
    netcdf(path, side=2**11, attribute=4)


def attribute_netcdf(path):
    netcdf(path, side=2, attribute=2**31 - 8)


BOMBS = {
    "deflate.npz": (
        deflate_bomb,
        "unfolds to 1073741824 bytes from .* at most 134217728 are allowed; pass largest=",
    ),
    "member.npz": (lying_member, "header of labels.npy promises 68719476736 bytes, it holds 1000"),
    "lzma.npz": (lzma_bomb, "must be stored or deflated|unfolds to"),
    "header.npy": (lying_npy, "header promises 68719476736 bytes, it holds 1048576"),
    "shape.tif": (huge_tiff, "promises .* bytes in a file of"),
    "pages.tif": (tiff_bomb, "unfolds to 10737418240 bytes"),
    "strip.tif": (tiff_strip_bomb, "a strip of 64 bytes unfolds to more"),
    "entity.ome.tif": (entity_tiff, "declares a document type"),
    "extent.vti": (huge_vti, "unfolds to 68719476736 bytes"),
    "zlib.vti": (vti_bomb, "unfolds to 1073741824 bytes"),
    "block.vti": (vti_block_bomb, "a block of 512 bytes unfolds to more"),
    "entity.vti": (entity_vti, "declares a document type"),
    "side.nc": (huge_netcdf, "not a readable .nc image"),
    "attribute.nc": (attribute_netcdf, "not a readable .nc image"),
}

MEASURE = """
import json, resource, sys, time
import numpy, scipy.io, tifffile
from xml.etree import ElementTree
from meso import load
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for path in sys.argv[1:]:
    before, start = peak(), time.perf_counter()
    try:
        load(path)
        error = "loaded"
    except ValueError as refusal:
        error = str(refusal)
    print(json.dumps([error, time.perf_counter() - start, peak() - before]))
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """Error, seconds and growth of the peak memory [MiB] for every bomb, in one fresh process."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (write, _) in BOMBS.items():
        write(folder / name)
        assert (folder / name).stat().st_size < 1.2 * 2**20
    command = [sys.executable, "-c", MEASURE, *(str(folder / name) for name in BOMBS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(zip(BOMBS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_neither_time_nor_memory(refusals, name):
    error, seconds, grown = refusals[name]
    assert error.count(name) == 1
    assert "\n" not in error
    assert re.search(BOMBS[name][1], error), error
    assert seconds < 1.0
    assert grown < MEBIBYTES_ALLOWED


def test_the_caller_may_set_the_limit(tmp_path):
    np.savez_compressed(tmp_path / "blank.npz", labels=np.zeros((16, 16, 16), np.uint8))
    with pytest.raises(ValueError, match="at most 1000 are allowed; pass largest=4224 if you trust it"):
        load(tmp_path / "blank.npz", largest=1000)
    assert load(tmp_path / "blank.npz", largest=4224).shape == (16, 16, 16)


@pytest.mark.parametrize(
    ("stored", "allowed"), [(100, 10**6), (10**6, 2**27), (10**7, 10**9), (10**9, 2**34), (10**12, 2**34)]
)
def test_what_a_size_may_unfold_to(stored, allowed):
    Allowance(stored=stored).check(allowed)
    with pytest.raises(ValueError, match=f"at most {allowed} are allowed"):
        Allowance(stored=stored).check(allowed + 1)


class Intruder:
    def __reduce__(self):
        return os.system, ("touch intruded",)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_objects_are_never_unpickled(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    array = np.array([Intruder()], dtype=object)
    if name == "a.npy":
        np.save(name, array, allow_pickle=True)
    else:
        np.savez(name, labels=array)
    with pytest.raises(ValueError, match="Python objects, which are never loaded"):
        load(name)
    Path(name).write_bytes(pickle.dumps(Intruder()))
    with pytest.raises(ValueError, match="not a readable"):
        load(name)
    assert not Path("intruded").exists()


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "folder.npy").mkdir()
    for name, kind in (("pipe.npy", "a pipe"), ("folder.npy", "a folder")):
        with pytest.raises(ValueError, match=f"must be a regular file, got {kind}; name a file"):
            load(tmp_path / name)
    device = tmp_path / "zero.npy"
    device.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="must be a regular file, got a device"):
        load(device)
    with pytest.raises(ValueError, match="must be a regular file, got a pipe"):
        read_sizes(tmp_path / "pipe.npy")


def test_links_stay_in_their_folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    for folder in (tmp_path, inside):
        np.save(folder / "image.npy", np.zeros((2, 2, 2), np.uint8))
    (inside / "near.npy").symlink_to("image.npy")
    assert load(inside / "near.npy").shape == (2, 2, 2)
    (inside / "far.npy").symlink_to("../image.npy")
    with pytest.raises(ValueError, match=r"far\.npy: must not be a link that leaves its folder, got one to"):
        load(inside / "far.npy")
    # A folder may itself be reached through a link.
    (tmp_path / "linked").symlink_to("inside")
    assert load(tmp_path / "linked" / "image.npy").shape == (2, 2, 2)


def test_ome_tiff_opens_no_other_file(tmp_path):
    tifffile.imwrite(tmp_path / "secret.tif", np.ones((2, 4, 4), np.uint8), photometric="minisblack")
    inside = tmp_path / "inside"
    inside.mkdir()
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="4" SizeZ="2" '
        'SizeC="1" SizeT="1"><TiffData IFD="0" FirstZ="0" PlaneCount="2"><UUID FileName="../secret.tif">urn:uuid:'
        "00000000-0000-0000-0000-000000000001</UUID></TiffData></Pixels></Image></OME>"
    )
    tifffile.imwrite(
        inside / "a.ome.tif",
        np.zeros((2, 4, 4), np.uint8),
        description=xml,
        metadata=None,
        photometric="minisblack",
    )
    assert not load(inside / "a.ome.tif").labels.any()
