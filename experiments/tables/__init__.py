"""Tables of finished runs, for ``experiments.sweep`` and ``experiments.table``."""
