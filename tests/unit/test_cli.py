"""The command line: numbers of `transport`, files of `generate`, and one clear line for bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest

from meso import Phase, load
from studies.cli import main


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path):
    """Run the command line in this process; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["meso", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def layered(tmp_path):
    """Pores in layers of 3 out of 4 voxels along axis 1: open on axes 0 and 2, blocked on axis 1."""
    labels = np.zeros((8, 8, 8), dtype=np.uint8)
    labels[:, 3::4] = 1
    np.savez(tmp_path / "layered.npz", labels=labels)
    return "layered.npz"


def test_transport_along_layers_is_straight(cli, layered):
    code, out, _ = cli("transport", layered, "--json")
    answer = json.loads(out)
    assert code == 0
    assert set(answer) == {
        "tortuosity_factor", "effective_conductivity", "porosity", "percolates",
        "flux_mismatch", "iterations", "seconds", "status",
    }  # fmt: skip
    assert answer["tortuosity_factor"] == pytest.approx(1, abs=1e-6)
    assert answer["effective_conductivity"] == pytest.approx(0.75, abs=1e-6)
    assert answer["porosity"] == 0.75
    assert (answer["percolates"], answer["status"]) == (True, "converged")


def test_transport_across_layers_is_an_answer_in_valid_json(cli, layered):
    code, out, _ = cli("transport", layered, "--axis", 1, "--json")
    answer = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert code == 0
    assert (answer["percolates"], answer["tortuosity_factor"], answer["effective_conductivity"]) == (
        False,
        None,
        0,
    )
    assert answer["status"] == "not_percolating"


@pytest.mark.parametrize("phase", ["active", "1"])
def test_transport_takes_names_and_numbers_of_phases(cli, layered, phase):
    code, out, _ = cli("transport", layered, "--phase", phase, "--json")
    assert code == 0
    assert json.loads(out)["porosity"] == 0.25


def test_transport_takes_any_labels(cli, tmp_path):
    labels = np.full((6, 6, 6), 255, dtype=np.uint8)
    labels[:, 3:] = 100
    np.save(tmp_path / "grey.npy", labels)
    _, out, _ = cli("transport", "grey.npy", "--phase", "100", "--json")
    assert json.loads(out)["effective_conductivity"] == pytest.approx(0.5, abs=1e-6)


def test_transport_along_a_smooth_surface(cli, tmp_path):
    """A long pore with a slope of 1/2 has τ = 1 + 1/4; stairs make it 1.39."""
    z, y = np.ogrid[:64, :48]
    labels = np.repeat((np.abs(2 * y - z - 16) > 6)[:, :, None].astype(np.uint8), 4, axis=2)
    np.save(tmp_path / "slanted.npy", labels)
    code, out, _ = cli("transport", "slanted.npy", "--surface", "smooth", "--json")
    assert code == 0
    assert json.loads(out)["tortuosity_factor"] == pytest.approx(1.25, abs=0.012)


def test_transport_prints_for_people(cli, layered):
    _, out, _ = cli("transport", layered, "--voxel-size", 0.4)
    assert "tortuosity factor        1.0000" in out


def test_transport_of_a_published_image(cli, reference):
    _, out, _ = cli("transport", reference / "images" / "nrel_nmc1cal_crop128.npz", "--json")
    # Independent finite-volume value, face convention, insulated sides (reference/README.md).
    assert json.loads(out)["tortuosity_factor"] == pytest.approx(3.093, rel=1e-3)


def test_generate_writes_the_central_design(cli, tmp_path):
    text = """
name = "one"
seed = 977
trials = 2
cell = {chemistry = "nmc532-xu2019", c_rate = 1.0}
[electrode]
areal_capacity_mAh_cm2 = 1.5
porosity = {low = 0.35, high = 0.45}
porosity_gradient = {low = -0.1, high = 0.1}
particle_diameter_um = {low = 4.0, high = 9.0, log = true}
particle_spread = 1.0
binder_fraction = 0.05
[constraints]
minimum_volumetric_capacity_mAh_cm3 = 100.0
[structure]
voxels_per_diameter = 6
width_diameters = 2.5
minimum_voxels = 8
"""
    (tmp_path / "one.toml").write_text(text, "utf-8")
    code, out, _ = cli("generate", "one.toml", "--out", "a.npz", "--seed", 5)
    assert code == 0
    assert out.startswith("a.npz: ")
    assert cli("generate", "one.toml", "--out", "b.tif", "--seed", 5)[0] == 0
    first, second = load(tmp_path / "a.npz"), load(tmp_path / "b.tif")
    assert np.array_equal(first.labels, second.labels)
    assert first.volume_fraction(Phase.PORE) == pytest.approx(0.40, abs=0.01)
    # Six voxels across 6 µm, the geometric middle of 4 and 9; the thickness holds a whole number of them.
    assert first.voxel_size[0] == pytest.approx(1e-6, rel=0.03)


BAD = {
    "no such command": (["frobnicate"], ["frobnicate"]),
    "missing argument": (["run"], ["CONFIG"]),
    "trials": (["run", "quickstart", "--trials", "1"], ["--trials", "1", "2"]),
    "no configuration": (["run", "absent.toml"], ["absent.toml", "no such file", "quickstart"]),
    "configuration is a folder": (["run", "."], ["cannot be read"]),
    "wrong key": (["run", "wrong.toml"], ["wrong.toml", "electrode.porositty", "did you mean porosity?"]),
    "no image": (["transport", "absent.npz"], ["absent.npz", "no such file"]),
    "image is a folder": (["transport", "."], [".npz"]),
    "empty image": (["transport", "empty.npz"], ["empty.npz"]),
    "empty array": (["transport", "hollow.npy"], ["hollow.npy", "at least one voxel"]),
    "flat image": (["transport", "flat.npy"], ["flat.npy", "three dimensions"]),
    "no such label": (["transport", "good.npy", "--phase", "7"], ["good.npy", "--phase 7", "[0, 1]"]),
    "no such phase": (["transport", "good.npy", "--phase", "lithium"], ["--phase", "'lithium'", "pore"]),
    "wrong axis": (["transport", "good.npy", "--axis", "3"], ["--axis", "0, 1 or 2", "got 3"]),
    "wrong surface": (["transport", "good.npy", "--surface", "soft"], ["surface", "'smooth'", "'soft'"]),
    "voxel size": (["transport", "good.npy", "--voxel-size", "-1"], ["--voxel-size", "-1", "µm"]),
    "output format": (["generate", "quickstart", "--out", "x.stl"], ["--out", ".npz", "x.stl"]),
    "output folder": (["generate", "quickstart", "--out", "no/x.npz"], ["--out", "does not exist"]),
    "no folder": (["status", "nowhere"], ["nowhere", "no such folder"]),
    "no study": (["report", "."], ["not a study folder", "study.toml"]),
}


@pytest.mark.parametrize(("arguments", "parts"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(cli, tmp_path, arguments, parts):
    np.save(tmp_path / "good.npy", np.eye(4, dtype=np.uint8)[None].repeat(4, axis=0))
    np.save(tmp_path / "flat.npy", np.zeros((4, 4), dtype=np.uint8))
    np.save(tmp_path / "hollow.npy", np.zeros((0, 4, 4), dtype=np.uint8))
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "wrong.toml").write_text("[electrode]\nporositty = 0.3\n", "utf-8")
    before = sorted(tmp_path.rglob("*"))
    code, out, error = cli(*arguments)
    assert code == 2
    assert not out
    assert error.startswith("meso: ")
    assert error.count("\n") == 1
    for part in parts:
        assert part in error
    assert sorted(tmp_path.rglob("*")) == before


def test_help_lists_the_commands(cli):
    code, out, _ = cli("--help")
    assert code == 0
    for command in ("run", "status", "report", "generate", "transport"):
        assert command in out


def test_transport_starts_without_search_workers_and_figures(tmp_path):
    # Not pydantic: recent releases of typer import it themselves.
    np.save(tmp_path / "open.npy", np.zeros((4, 4, 4), dtype=np.uint8))
    code = (
        "import sys; sys.argv = ['meso', 'transport', 'open.npy']\n"
        "from studies.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'optuna', 'distributed', 'matplotlib', 'porespy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("set()\n")


def test_show_draws_a_cut(cli, layered):
    from matplotlib.pyplot import imread

    code, out, _ = cli("show", layered, "--out", "cut.png")
    assert (code, out.strip()) == (0, "cut.png")
    picture = imread("cut.png")[..., :3]
    # The cut lies between the layers; the fractions below it are one quarter solid.
    blue, pale = (
        np.isclose(picture, np.array(c) / 255, atol=0.01).all(axis=-1).sum() for c in (ACTIVE, PORE)
    )
    assert 1000 < blue < pale


ACTIVE, PORE = (0x4F, 0x6D, 0x8F), (0xF4, 0xF1, 0xEA)


@pytest.mark.parametrize(
    ("image", "out", "message"),
    [
        ("layered.npz", "cut.gif", "--out must end in .png, got cut.gif"),
        ("layered.npz", "none/cut.png", "create it first"),
        ("none.npz", "cut.png", "there is no such file"),
    ],
)
def test_show_names_what_is_wrong(cli, layered, image, out, message):
    assert layered == "layered.npz"
    code, _, error = cli("show", image, "--out", out)
    assert code == 2
    assert message in error


def test_init_writes_what_validate_accepts(cli, tmp_path):
    code, out, _ = cli("init")
    assert (code, out.count("\n")) == (0, 1)
    code, out, _ = cli("validate", "study.toml")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("study.toml: valid; 200 trials")
    text = (tmp_path / "study.toml").read_text("utf-8")
    code, _, error = cli("init", "study.toml")
    assert (code, error.count("\n")) == (2, 1)
    assert "is left as it is" in error
    (tmp_path / "study.toml").write_text(text.replace("porosity =", "porositty ="), "utf-8")
    code, out, error = cli("validate", "study.toml")
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert "did you mean porosity?" in error
