"""RESULTS.md and its plot, from the records."""


def write(ours, peers, folder):
    pass
