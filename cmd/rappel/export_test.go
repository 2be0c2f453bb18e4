package main

// Main is the whole program, for the scripts.
func Main() { main() }
