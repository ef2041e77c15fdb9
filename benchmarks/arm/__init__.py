"""Our tests, and what we take, on emulated ARM: see ``__main__``."""
