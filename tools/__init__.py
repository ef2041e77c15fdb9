"""What makes files of this repository, nearly all out of the schemas; ``python -m tools`` writes those that are out of date."""
