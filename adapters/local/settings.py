"""Settings of the terminal, apart from the adapter so that reading them loads nothing."""

from gateway.settings import AdapterSettings


class LocalSettings(AdapterSettings):
    """How the terminal chat looks."""

    greeting: str = ""
    """Shown above the first prompt; `parley chat` says who answers."""
    history: bool = True
    """Keep typed lines in `data_dir/history`, for the arrow keys."""
