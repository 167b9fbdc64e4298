"""How a controller is called, and how its answer is written."""
