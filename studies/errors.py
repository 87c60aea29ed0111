"""What goes wrong and whose it is to solve."""


class InputError(ValueError):
    """Input that cannot be used; its text is one line that names the place, the value, the rule and the remedy."""


class ConfigError(InputError):
    """A configuration that cannot be used."""


class FolderError(InputError):
    """A study folder that cannot be used as asked."""


class StudyError(RuntimeError):
    """A study that cannot go on; its text says why and what to do."""
