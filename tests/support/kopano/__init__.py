"""A stand-in for a Kopano groupware server: SOAP as the real one speaks it, its traps, and faults on demand."""
