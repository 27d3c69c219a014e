"""`python -m twinlens` is the command `twinlens`."""

from .cli import main

if __name__ == "__main__":
    main()
