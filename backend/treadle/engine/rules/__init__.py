"""The rules of the game: pure functions from (state, tick) to commands, one room each."""
