"""The Debian package, built from the files of this checkout, for `tools.package_test`."""

import shutil
from pathlib import Path

from tools.package_root import FOLDER, ROOT, run


def build() -> Path:
    """Build the package from the files of this checkout, and return it.

    Raises:
        RunError: it can not be built, or lintian finds an error.
    """
    source = FOLDER / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for old in FOLDER.glob("konnectd_*"):
        old.unlink()
    for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    run("dpkg-buildpackage", "-b", "-us", "-uc", cwd=source)
    (package,) = FOLDER.glob("konnectd_*.deb")
    # What debhelper leaves behind is as large as the package.
    run("debian/rules", "clean", cwd=source)
    print(
        run(
            "lintian",
            "--fail-on",
            "error,warning",
            "--allow-root",
            "--suppress-tags",
            "bad-distribution-in-changes-file",
            str(package),
        )
    )
    return package


def raised(package: Path, version: str) -> Path:
    """Return the same package with another version, as an upgrade."""
    tree = FOLDER / "upgrade"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "--raw-extract", str(package), str(tree))
    control = tree / "DEBIAN" / "control"
    lines = control.read_text(encoding="utf-8").splitlines()
    control.write_text("".join(f"Version: {version}\n" if x.startswith("Version:") else f"{x}\n" for x in lines))
    made = FOLDER / f"konnectd_{version}.deb"
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(made))
    shutil.rmtree(tree)
    return made
