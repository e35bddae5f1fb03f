"""The tools behind `make test` and `make check` count rightly and are not fooled."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web import device_views
from konnectd.web.every_view import EVERY_VIEW
from konnectd.web.views import ErrorKind, ErrorPage
from tests.support import states
from tests.support.views import SAMPLES
from tools import check_fragments, gallery, run_tests
from tools.run_tests import Tally


class TallyTests(SynchronousTestCase):
    """What trial says last becomes three numbers."""

    def test_errors_and_wrong_marks_are_failures(self) -> None:
        """Whatever did not go as written counts as failed; a known fault counts as skipped."""
        tally = Tally.parse("skips=1, expectedFailures=2, failures=4, errors=8, unexpectedSuccesses=16, successes=32")

        self.assertEqual(str(tally), "32 passed, 28 failed, 3 skipped")

    def test_total(self) -> None:
        """Runs add up."""
        total = Tally.total((Tally(passed=1, failed=2, skipped=3), Tally(passed=10)))

        self.assertEqual(total, Tally(passed=11, failed=2, skipped=3))

    def test_a_run_without_verdict_is_a_failure(self) -> None:
        """A run that was ended, or never began, does not pass for one that found nothing."""
        self.assertEqual(run_tests.judge(None, 0, [].append).failed, 1)

    def test_a_bad_status_is_a_failure(self) -> None:
        """A run that ends badly after its last test has not gone well."""
        self.assertEqual(run_tests.judge("successes=3", 1, [].append), Tally(passed=3, failed=1))

    def test_a_good_run(self) -> None:
        """A run that says it went well and ended so is believed."""
        self.assertEqual(run_tests.judge("skips=1, successes=3", 0, [].append), Tally(passed=3, skipped=1))

    def test_verdict_of_an_empty_run(self) -> None:
        """Trial's bare word is a verdict too, and a line that only begins like one is not."""
        found = [run_tests.VERDICT.match(line) is not None for line in ("PASSED", "FAILED (errors=1)", "PASSED by")]

        self.assertEqual(found, [True, True, False])


class GroupTests(SynchronousTestCase):
    """Which tests run together."""

    def test_everything_in_memory_runs_twice(self) -> None:
        """Once as it is and once optimized; what starts other programs runs once and alone."""
        found = run_tests.groups(("tests.real.test_http", "tests.test_http"), fast=False)

        self.assertEqual(
            [(group.modules, group.optimized) for group in found],
            [(("tests.test_http",), False), (("tests.test_http",), True), (("tests.real.test_http",), False)],
        )

    def test_fast_is_one_run_in_memory(self) -> None:
        """The quick way starts no other program."""
        found = run_tests.groups(("tests.real.test_http", "tests.test_http"), fast=True)

        self.assertEqual([(group.modules, group.optimized) for group in found], [(("tests.test_http",), False)])

    def test_this_module_is_found(self) -> None:
        """A test module is found by its file name."""
        self.assertIn(__name__, run_tests.modules(Path(__file__).parent.parent))


class FragmentTests(SynchronousTestCase):
    """A changelog fragment has a name, a kind and one or two sentences."""

    def test_good_ones(self) -> None:
        """One sentence, two sentences, a dot inside of a word, and an empty one of kind misc."""
        good = (
            ("2.feature.md", "People can now sign in.\n"),
            ("12.fix.1.md", "It was wrong. It is right now."),
            ("3.change.md", "The file `konnectd.conf` is now read."),
            ("4.misc.md", ""),
        )

        self.assertEqual([fault for name, text in good for fault in check_fragments.faults_of(name, text)], [])

    def test_faults(self) -> None:
        """Each fault is said in words."""
        bad = (
            ("feature.md", "Now."),
            ("2.news.md", "Now."),
            ("2.feature.md", "People can now sign in"),
            ("2.feature.md", "One. Two. Three."),
            ("2.feature.md", " \n"),
            ("2.misc.md", "Nobody notices."),
        )

        self.assertEqual([len(check_fragments.faults_of(name, text)) for name, text in bad], [1] * len(bad))

    def test_a_change_needs_one(self) -> None:
        """A branch that changes files has a fragment, or is the release that collects them."""
        changes = (
            ("konnectd/http.py",),
            ("konnectd/http.py", "changelog.d/README.md"),
            ("konnectd/http.py", "changelog.d/7.misc.md"),
            ("CHANGELOG.md", "konnectd/__init__.py"),
            (),
        )

        self.assertEqual(
            [check_fragments.lacks_fragment(change) for change in changes], [True, True, False, False, False]
        )

    def test_no_history_is_no_fault(self) -> None:
        """Outside of a repository there is nothing to compare with, and nobody is blamed for it."""
        self.assertIsNone(check_fragments.changed_since_base(Path("/")))


class GalleryTests(SynchronousTestCase):
    """What `make gallery` shows."""

    def test_every_page_in_every_state(self) -> None:
        """Each kind of page is in it, bare and with hostile names, and each kind of error."""
        shown = {type(state.view) for state in states.STATES.values()}
        errors = {state.view.kind for state in states.STATES.values() if isinstance(state.view, ErrorPage)}
        hostile = {type(state.view) for name, state in states.STATES.items() if name.endswith("~hostile")}

        self.assertEqual(shown, set(EVERY_VIEW))
        self.assertEqual(errors, set(ErrorKind))
        self.assertEqual(shown - hostile, {device_views.DeviceDonePage})

    def test_hostile_names_are_in(self) -> None:
        """A name is put wherever one is shown, however deep in a view, and nowhere else."""
        account = states.renamed(SAMPLES["account"], "<i>")

        self.assertEqual({permit.name for permit in account.permits}, {"<i>"})
        self.assertEqual((account.action, account.csrf), ("/account", "csrf-6"))

    def test_index(self) -> None:
        """Every picture is on the page that one looks through, whatever a state is called."""
        found = gallery.index(("a~b", "c&d"), ("dark",))

        for words in ('src="a~b-dark.png"', 'src="c%26d-dark.png"', 'id="c&amp;d"', 'href="#c&amp;d"'):
            self.assertIn(words, found)

    def test_nothing_asked_for(self) -> None:
        """A name that no state has is said, before anything is started."""
        with redirect_stdout(StringIO()) as said:
            status = gallery.main(["--only", "no such page"])

        self.assertEqual((status, len(said.getvalue().splitlines())), (1, 1))
