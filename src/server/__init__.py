"""The program that serves: uvicorn, its workers, its protocol, its address, what it logs."""
