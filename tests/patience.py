"""How long a test waits for what must come: a guard against waiting for ever, never a measure of speed."""

HANG_S = 300.0
