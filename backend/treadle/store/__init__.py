"""What is remembered: tables, the journal and the writer."""
