"""Pass B: rows become events of the log, and by its projections tables and CSV. It knows neither files nor graph."""

from dataclasses import dataclass
from typing import Protocol

from forge_hub.passes.errors import PassError
from forge_hub.passes.runs import RunFolder
from forge_hub.passes.steps import Beat, Step


class LogDesk(Protocol):
    """What takes rows into the log: here, or in the hub that serves. Every method blocks and may be repeated."""

    def commit(self, run: str, chunk: int) -> int:
        """Log a chunk of a run, all or nothing, the end of the session with the last; return how many events are new.

        Raises:
            PassError: The log does not take it.
        """

    def file(self, run: str, beat: Beat) -> None:
        """Wait until tables and CSV hold everything that the log does; ``beat`` is called now and then."""


@dataclass(frozen=True, slots=True)
class PassB:
    """Files a run's rows. Its tools: the run's chunks, and the desk at the log."""

    folder: RunFolder
    desk: LogDesk
    step: Step

    def run(self) -> int:
        """Log what is not logged yet; return how many events were new.

        Raises:
            RunStoppedError: It was stopped.
            PassError: The log does not take a chunk, or pass A is not at its end.
        """
        run, chunks = self.folder.run, self.folder.chunks()
        new = 0
        if "a" not in self.folder.progress.done:
            raise PassError("pass a has not come to its end: do it first")
        # From the first one on, however far it was: the log refuses doubles, and may have been restored since.
        for number in range(1, chunks + 1):
            self.step("b", number, chunks)
            new += self.desk.commit(run.id, number)
            self.folder.note("b", number)
        self.desk.file(run.id, lambda: self.step("b", chunks, chunks))
        self.folder.note("b", chunks, done=True)
        return new
