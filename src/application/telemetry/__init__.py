"""What is told of the gateway to those who watch it: sums of requests, and how things stand."""
