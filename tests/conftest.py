"""What every test may use."""

import os

# Tests run with development settings, whatever the machine's own environment says.
os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("HTTPS", "0")
