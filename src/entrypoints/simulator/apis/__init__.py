"""The wire formats that the simulator speaks; each module is loaded when its path is first asked for."""
