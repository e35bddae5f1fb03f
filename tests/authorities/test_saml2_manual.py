"""What the manual says of SAML is all there is."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd.authorities._saml2_settings import read
from konnectd.authority_entry import AuthorityEntry
from konnectd.config import yamlfile
from konnectd.option import ConfigError
from konnectd.protocol.saml2 import SamlFault
from tests.support.files import write

MANUAL = (Path(konnectd.__file__).parent.parent / "docs" / "operate" / "saml.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """Return the words in the first cells of the table below a heading."""
    section = MANUAL.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]


class ManualTests(SynchronousTestCase):
    """Tables."""

    def test_faults(self) -> None:
        """Each word that the log may have is explained, once."""
        self.assertEqual(sorted(first_cells("When it does not work")), sorted(fault.value for fault in SamlFault))

    def test_keys(self) -> None:
        """Each key that is explained is one that is read, and there are no others."""
        keys = first_cells("Keys of an entry")
        faults: list[ConfigError] = []
        table = yamlfile.read(write(self, "r.yaml", "".join(f"{key}: x\n" for key in keys)), "x", faults)
        read(table, AuthorityEntry(authority_id="a", name="a", kind="saml2"))
        source = (Path(konnectd.__file__).parent / "authorities" / "_saml2_settings.py").read_text(encoding="utf-8")

        self.assertEqual([item.text for item in table.unknown()], [])
        self.assertGreaterEqual(set(keys), set(re.findall(r'table(?:\.\w+\(|, )"(\w+_\w+)"', source)))
