"""Where the templates are found."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.templates_path import find_templates
from konnectd.web.views import VIEWS


class FindTests(SynchronousTestCase):
    """The folder of templates."""

    def test_found(self) -> None:
        """It has the template of every view, the static files and the catalogues."""
        folder = find_templates()

        self.assertEqual([view.template for view in VIEWS if not (folder / view.template).is_file()], [])
        self.assertTrue((folder / "static").is_dir() and (folder / "locale" / "konnectd.pot").is_file())
