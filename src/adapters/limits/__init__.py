"""Where what is used of limits is counted: one module a store, behind one port."""
