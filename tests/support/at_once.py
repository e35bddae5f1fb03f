"""The file of the SQLite store, used without its thread, so that nothing has to wait."""

from konnectd.stores._sqlite_file import Step, StoreFile, Value


class AtOnce:
    """Carries steps to a file, each by itself."""

    def __init__(self, file: StoreFile) -> None:
        """Know the file."""
        self.file = file

    async def do(self, step: Step) -> Value:
        """Carry out a step."""
        return self.file.run([step])[0]

    async def close(self) -> None:
        """Let go of the file."""
        self.file.close()
