"""What pictures of workflows must keep to."""
