"""What the library's failures are in Python."""


class Error(RuntimeError):
    """Any failure that the library reports. `status` is its number, the exit code of the programs."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status


class RequestError(Error, ValueError):
    """A request that makes no sense: an unknown option, a value out of range, rows of the wrong width."""


class FileError(Error):
    """Data or a model file that cannot be used."""


class OutOfMemoryError(Error, MemoryError):
    """Host or device memory that could not be had."""


class DeviceError(Error):
    """No such device, or one that cannot do what was asked."""


class DivergedError(Error):
    """Training met a value that is not finite."""


class VaecudaWarning(UserWarning):
    """What may be wrong with a result although nothing failed, with the remedy."""


ERRORS = {2: RequestError, 3: FileError, 4: OutOfMemoryError, 5: DeviceError, 6: DivergedError}
