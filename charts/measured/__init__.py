"""What our own benchmarks measured: rooflines, bandwidth, predictions held against times, backends side by side."""
