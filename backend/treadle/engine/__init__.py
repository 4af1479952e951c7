"""The engine: a reducer over ticks and the loop that carries out its commands."""
