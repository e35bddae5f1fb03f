"""How konnectd is packaged.

A ``setup.py`` rather than a table in ``pyproject.toml``, because two things here are code: the packages below
``konnectd`` are found, and two more are added by hand.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# Lower bounds are the oldest versions the suite was run with. What a fresh machine gets is in `requirements.lock`.
REQUIRES = [
    "argon2-cffi>=25.1",
    "attrs>=25.3",
    "Babel>=2.17",
    "cryptography>=46.0",
    "Jinja2>=3.1.6",
    "jwcrypto>=1.6.1",
    "klein>=24.8.0",
    "ldaptor>=21.2.0",
    "lxml>=6.0.2",
    "MarkupSafe>=3.0",
    "orjson>=3.13",
    "prometheus-client>=0.22",
    "pyOpenSSL>=25.3",
    "PyYAML>=6.0.2",
    "service-identity>=24.2",
    "signxml>=5.2",
    "treq>=24.9.1",
    "Twisted[tls]>=26.4",
    "Werkzeug>=3.1",
]

EXTRAS = {
    "test": [
        "Authlib>=1.6",
        "coverage>=7.10",
        "hypothesis>=6.140",
        "idpyoidc>=5.0",
        "joserfc>=1.4",
        "requests>=2.32",
        "selenium>=4.35",
    ],
    "check": ["lxml-stubs>=0.5.1", "mypy>=2.0", "ruff>=0.17", "towncrier>=25.8", "types-PyYAML>=6.0.12"],
    "bench": ["Authlib>=1.6", "joserfc>=1.4"],
}


def version() -> str:
    """Return ``__version__`` of the package without importing it: its dependencies may not be there yet."""
    for line in (ROOT / "konnectd" / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.partition("=")[2].strip().strip('"')
    raise SystemExit("konnectd/__init__.py has no __version__")


setup(
    name="konnectd",
    version=version(),
    description="An OpenID Connect provider for people who run their own directory",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    # `twisted.plugins` has no __init__.py, on purpose: with one it would hide Twisted's own plugins. The pages stand
    # at the top of the checkout, where designers look for them, and are installed below the package.
    packages=[*find_packages(include=["konnectd", "konnectd.*"]), "konnectd.templates", "twisted.plugins"],
    package_dir={"konnectd.templates": "templates"},
    package_data={
        "konnectd": ["py.typed"],
        "konnectd.templates": ["*.html", "demo/*.html", "static/*", "locale/*", "locale/**/*"],
    },
    include_package_data=False,
    zip_safe=False,
    entry_points={"console_scripts": ["konnectd=konnectd.cli:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Topic :: System :: Systems Administration :: Authentication/Directory",
        "Typing :: Typed",
    ],
)
