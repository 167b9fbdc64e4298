"""How a controller is called, and how its answer, or its refusal, is written."""
