"""A charge point on a Raspberry Pi, see README.md: ``python3 -m charge_point config.toml``."""
