"""What `ringful bench` measures: workloads, and how their figures are taken and told."""
