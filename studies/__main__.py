"""``python -m studies``: the command line where the ``meso`` script is not on the path."""

from studies.cli import main

if __name__ == "__main__":
    main()
