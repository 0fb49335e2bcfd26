"""Which clients are there to copy? The files of docs/samples, with the reader's own address in them."""

from dataclasses import dataclass

from django.conf import settings

FOLDER = settings.BASE_DIR / "docs" / "samples"
WRITTEN_ADDRESS = "ws://127.0.0.1:8080"
"""The address that the files have."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One client. `needs` says how to install what it uses, `placeholders` what its user has to replace."""

    name: str
    about: str
    file: str
    needs: str
    placeholders: tuple[str, ...]

    def text(self, address: str) -> str:
        """Return the program for a server's `ws://host:port`."""
        return (FOLDER / self.file).read_text().replace(WRITTEN_ADDRESS, address)


SECRET, KEY_ID = "tk_demo_…", "8b6bcdc6-…"

SAMPLES = (
    Sample("Python · tick stream", "The tick stream's own sample, with websocket-client.", "tick_stream.py",
           "pip install websocket-client", (SECRET,)),
    Sample("Python · event stream", "Signed, with websockets; goes on where it was after a lost connection.",
           "event_stream.py", "pip install websockets", (KEY_ID, SECRET)),
    Sample("Node · event stream", "Signed, with ws.", "event_stream.cjs", "npm install ws", (KEY_ID, SECRET)),
    Sample("C# · tick stream", "With the ClientWebSocket of .NET 8 and newer, as Program.cs.", "TickStream.cs",
           "dotnet new console", (SECRET,)),
    Sample("Browser · event stream", "Public channels, without a key.", "browser.js", "", ()),
)  # fmt: skip
