"""Our own Triton kernels. Importing this package imports no triton; its modules do, except `tiling`."""
