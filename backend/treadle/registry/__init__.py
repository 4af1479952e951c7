"""What can be run: workflow files, loaded and described."""
