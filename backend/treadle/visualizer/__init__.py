"""What a workflow and its runs look like: a graph, its layout, and the forms it is drawn in."""
