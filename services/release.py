"""Which release of the product this is: told by the command line and by every document that is served."""

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    try:
        return version("counterpoint")
    except PackageNotFoundError:  # run from a checkout
        return "0"
