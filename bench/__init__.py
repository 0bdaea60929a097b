"""What `ringful bench` measures: workloads, and how their figures are taken and told.

Packed with the rest, so that an operator can measure his own machine.  Pages that were kept are in
reports/, in the repository only.
"""
