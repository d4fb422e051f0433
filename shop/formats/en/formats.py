"""English: one short way, without twelve-hour clocks."""

DATETIME_FORMAT = "j M Y, H:i"
