"""What the process tells its supervisor when it ends."""

from enum import IntEnum

from gateway.errors import AccountRejected, ConfigInvalid, StoreFailed


class ExitCode(IntEnum):
    """Documented in `parley serve --help`; scripts and units rely on them."""

    OK = 0
    FAILED = 1
    CONFIG = 2
    STORE = 3
    ACCOUNT = 4


def exit_code_of(error: BaseException) -> ExitCode:
    match error:
        case ConfigInvalid():
            return ExitCode.CONFIG
        case StoreFailed():
            return ExitCode.STORE
        case AccountRejected():
            return ExitCode.ACCOUNT
        case _:
            return ExitCode.FAILED
