"""Physical constants (SI 2019, exact) and the standard temperature."""

FARADAY = 96485.33212331
"""[C.mol-1]"""

GAS_CONSTANT = 8.31446261815324
"""[J.mol-1.K-1]"""

STANDARD_TEMPERATURE = 298.15
"""[K]"""
